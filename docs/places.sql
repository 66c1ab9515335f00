-- The table of places for the provider postgis, with its index. Run it in the database that places.postgis.url names,
-- as a role that may create extensions: psql -f docs/places.sql <url>
-- geog: SRID 4326, longitude first: ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography.
-- types go from specific to general; prominence: more comes first; credit: HTML, else the comment of the table is given.

CREATE EXTENSION IF NOT EXISTS postgis;

CREATE TABLE IF NOT EXISTS "place" (
  id         text PRIMARY KEY,
  name       text NOT NULL,
  types      text[] NOT NULL,
  prominence smallint NOT NULL DEFAULT 0,
  vicinity   text,
  credit     text,
  geog       geography(Point, 4326) NOT NULL
);

CREATE INDEX IF NOT EXISTS "place_geog_gist" ON "place" USING gist (geog);
