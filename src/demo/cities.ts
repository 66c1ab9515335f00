import type { GlobePoint } from './sphere.ts'

/** A city whose streets cross at right angles, which is true of some. */
export interface City extends GlobePoint {
  readonly name: string
  /** In which direction its avenues go, in degrees clockwise from north. */
  readonly turned: number
}

/** The first has most of those who move. */
export const CITIES: readonly City[] = [
  { name: 'Los Angeles', lat: 34.0633, lon: -118.4447, turned: 20 },
  { name: 'New York', lat: 40.7549, lon: -73.984, turned: 29 },
  { name: 'London', lat: 51.5136, lon: -0.1365, turned: 12 },
  { name: 'Tokyo', lat: 35.6852, lon: 139.7528, turned: 5 },
  { name: 'Nairobi', lat: -1.2864, lon: 36.8172, turned: 38 },
  { name: 'São Paulo', lat: -23.5614, lon: -46.6559, turned: 44 },
  { name: 'Mexico City', lat: 19.4326, lon: -99.1332, turned: 8 },
  { name: 'Berlin', lat: 52.5163, lon: 13.3777, turned: 84 },
]

/** Stations of a railway, in order. */
export const RAILWAYS: readonly { readonly name: string; readonly stations: readonly GlobePoint[] }[] = [
  {
    name: 'Pacific Surfliner',
    stations: [
      { lat: 34.0562, lon: -118.2365 },
      { lat: 33.8035, lon: -117.8776 },
      { lat: 33.7518, lon: -117.8565 },
      { lat: 33.5017, lon: -117.6638 },
      { lat: 33.1952, lon: -117.3797 },
      { lat: 32.9915, lon: -117.2713 },
      { lat: 32.7168, lon: -117.1698 },
    ],
  },
  {
    name: 'Tokaido Shinkansen',
    stations: [
      { lat: 35.6812, lon: 139.7671 },
      { lat: 35.5075, lon: 139.6176 },
      { lat: 34.9717, lon: 138.3889 },
      { lat: 35.1709, lon: 136.8815 },
      { lat: 34.9858, lon: 135.7588 },
      { lat: 34.7335, lon: 135.5001 },
    ],
  },
  {
    name: 'ICE Berlin – München',
    stations: [
      { lat: 52.5251, lon: 13.3694 },
      { lat: 51.4772, lon: 11.9869 },
      { lat: 50.9722, lon: 11.0379 },
      { lat: 49.4456, lon: 11.0828 },
      { lat: 48.1402, lon: 11.5584 },
    ],
  },
]

/** Airports that planes fly between. */
export const FLIGHTS: readonly (readonly [name: string, from: GlobePoint, to: GlobePoint])[] = [
  ['LAX – HND', { lat: 33.9425, lon: -118.408 }, { lat: 35.5523, lon: 139.7798 }],
  ['JFK – LHR', { lat: 40.6398, lon: -73.7789 }, { lat: 51.4706, lon: -0.4619 }],
  ['LAX – JFK', { lat: 33.9425, lon: -118.408 }, { lat: 40.6398, lon: -73.7789 }],
  ['GRU – NBO', { lat: -23.4356, lon: -46.4731 }, { lat: -1.3192, lon: 36.9278 }],
  ['SYD – SCL', { lat: -33.9461, lon: 151.1772 }, { lat: -33.393, lon: -70.7858 }],
  ['BER – MEX', { lat: 52.3667, lon: 13.5033 }, { lat: 19.4363, lon: -99.0721 }],
]

/** Suva to Apia: the antimeridian lies between them. */
export const VOYAGE: readonly GlobePoint[] = [
  { lat: -18.3, lon: 178.62 },
  { lat: -13.83, lon: -171.76 },
]
