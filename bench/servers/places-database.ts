import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { PlaceTable } from '../../src/places/providers/place-table.ts'
import { copyPlaces, makePlaceTable, type PostgisPlace } from '../../src/places/providers/postgis-sql.ts'
import { Postgres } from '../../test/support/postgres.ts'
import type { BenchContext } from '../cases/contender.ts'

/** A PostgreSQL of this benchmark alone, whose table of places has the embedded ones. Whoever asked for it closes it. */
export async function startPlacesDatabase(context: BenchContext): Promise<Postgres> {
  const postgres = await Postgres.start('of-the-benchmarks', ([program, args]) => {
    const [wrapped, wrappedArgs] = context.pinning.wrap('server', program, args)
    return [wrapped, [...wrappedArgs]]
  })
  process.once('exit', () => postgres.closeNow())
  const client = await postgres.connect()
  try {
    await makePlaceTable(client)
    await copyPlaces(client, embeddedPlaces())
    await client.query('ANALYZE place')
  } finally {
    await client.end()
  }
  return postgres
}

function* embeddedPlaces(): Generator<PostgisPlace> {
  const table = new PlaceTable(gunzipSync(readFileSync(new URL('../../data/places.bin.gz', import.meta.url))))
  for (let number = 0; number < table.count; number += 1) {
    const { name, vicinity, latitude, longitude } = table.at(number)
    const types = ['locality', 'political']
    yield { id: `place:${number}`, name, types, prominence: 0, vicinity, latitude, longitude }
  }
}
