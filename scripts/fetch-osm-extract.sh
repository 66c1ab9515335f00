#!/bin/sh
# Fetches an extract of OpenStreetMap for the tests of the import: Liechtenstein on 2013-08-03, 593 kB, ODbL. It is
# part of Debian's source package osm2pgsql, so apt alone gets it, signatures checked, from wherever this machine gets
# its packages. Nothing of the machine's own settings is changed.
set -eu
cd "$(dirname "$0")/.."
name=liechtenstein-2013-08-03.osm.pbf
if [ -s ".cache/$name" ]; then
  echo "OSM extract: there"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/parts" "$folder/lists/partial" "$folder/download"
# apt drops its rights while it downloads; the folder is for nobody else's secrets.
chmod -R a+rwX "$folder"
# The sources of what the machine has the binaries of, whichever way it writes them down.
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ -f "$list" ] || continue
  grep -E '^deb .*debian' "$list" | sed 's/^deb /deb-src /' >> "$folder/parts/debian.list" || true
done
for list in /etc/apt/sources.list.d/*.sources; do
  [ -f "$list" ] || continue
  grep -qi 'debian' "$list" || continue
  sed 's/^Types:.*/Types: deb-src/' "$list" > "$folder/parts/$(basename "$list")"
done
apt() {
  apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$folder/parts" \
    -o Dir::State::Lists="$folder/lists" -o Dir::Cache="$folder" "$@"
}
apt update
(cd "$folder/download" && apt source --download-only osm2pgsql)
tar -xJf "$folder"/download/osm2pgsql_*.orig.tar.xz -C "$folder" --wildcards "*/$name"
mkdir -p .cache
mv "$folder"/*/tests/data/"$name" .cache/
echo "OSM extract: .cache/$name"
