#!/bin/sh
# Installs the Debian packages that the tests and benchmarks use, if any is missing:
# g++ and libjsoncpp-dev (the oracle for the text of places), netcat-openbsd (the README's lines),
# openssl (certificates of links),
# redis-server, nats-server and util-linux (the benchmarks' counterparts, taskset; prlimit and mount for the fault tests),
# postgresql-15-postgis-3 (the database of places: tests and benchmarks start one of their own),
# python3-twisted (a counterpart of WHATSAT), osmium-tool (a counterpart of the import) and xz-utils (to unpack an extract of OpenStreetMap for its tests),
# mosquitto and mosquitto-clients (the counterparts of MQTT),
# iproute2 and nftables (networks of namespaces for the fault tests).
set -eu
here=$(dirname "$0")
missing=""
while read -r package; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done < "$here/debian-packages.txt"
if [ -z "$missing" ]; then
  echo "Debian packages: all there"
  exec sh "$here/fetch-osm-extract.sh"
fi
if [ "$(id -u)" = 0 ]; then as_root=""; else as_root="sudo"; fi
echo "Debian packages to install:$missing"
$as_root apt-get update -q
# Debian's PostgreSQL begins a database of its own when it is installed, and starts it: nobody here needs that one.
createcluster=/etc/postgresql-common/createcluster.conf
case "$missing" in *postgresql*)
  if ! [ -e "$createcluster" ]; then
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends postgresql-common
    $as_root sed -i 's/^#* *create_main_cluster *=.*/create_main_cluster = false/' "$createcluster"
  fi ;;
esac
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends $missing
exec sh "$here/fetch-osm-extract.sh"
