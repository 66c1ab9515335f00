/** The style of the map: what is drawn, from the ground up. It names no fonts to fetch, so that letters come from the machine. */
import type {
  ExpressionSpecification,
  LayerSpecification,
  Map as MapLibre,
  StyleSpecification,
} from 'maplibre-gl'
import { STALE } from './freshness.ts'
import type { Palette } from './palette.ts'
import { collection } from './world.ts'

/** The letters of names on the map: whatever the machine has for pages. */
export const FONTS: string[] = ['system-ui', 'sans-serif']

/** The layer that street tiles lie under. */
export const FIRST_OF_HERD = 'trails'
/** The layers of names that street tiles have themselves, from near. */
export const OWN_NAMES = 'towns'

const EMPTY = collection([])
const isStale: ExpressionSpecification = ['>=', ['get', 'fresh'], STALE]

/** Sources that hold nothing yet, and the layers over them. */
export function look(palette: Palette): StyleSpecification {
  const empty = { type: 'geojson', data: EMPTY } as const
  return {
    version: 8,
    sky: { 'atmosphere-blend': ['interpolate', ['linear'], ['zoom'], 0, 0.7, 5, 0.5, 7, 0] },
    sources: {
      ...{ land: { ...empty, tolerance: 0.2 }, borders: empty, graticule: empty, countries: empty },
      ...{ towns: empty, movers: { ...empty, buffer: 32 }, trails: empty, accuracy: empty, places: empty },
    },
    layers: [...ground(palette), ...herd(palette)],
  }
}

/**
 * Draws a ring around a client, by its number on the map; -1: around none. In a crowd it lies on top, and its name is the one that finds
 * room.
 */
export function mark(map: MapLibre, number: number): void {
  const isSelected: ExpressionSpecification = ['==', ['id'], number]
  map.setFilter('selected', isSelected)
  map.setLayoutProperty('movers', 'circle-sort-key', ['case', isSelected, 1, 0])
  map.setLayoutProperty('mover-names', 'symbol-sort-key', ['case', isSelected, -1, ['get', 'fresh']])
}

function serverColor({ servers }: Palette): ExpressionSpecification {
  const [first = '', second = '', ...others] = servers
  return [
    'match',
    ['get', 'server'],
    1,
    second,
    ...others.flatMap((color, index) => [index + 2, color]),
    first,
  ]
}

function ground(palette: Palette): LayerSpecification[] {
  return [
    { id: 'water', type: 'background', paint: { 'background-color': palette.water } },
    {
      id: 'graticule',
      type: 'line',
      source: 'graticule',
      maxzoom: 8,
      paint: { 'line-color': palette.graticule, 'line-width': 1 },
    },
    { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': palette.land } },
    {
      id: 'coast',
      type: 'line',
      source: 'land',
      paint: {
        'line-color': palette.coast,
        'line-width': ['interpolate', ['linear'], ['zoom'], 0, 0.4, 5, 0.9],
      },
    },
    {
      id: 'borders',
      type: 'line',
      source: 'borders',
      paint: {
        'line-color': palette.border,
        'line-width': ['interpolate', ['linear'], ['zoom'], 0, 0.5, 6, 1.4],
      },
    },
    {
      id: 'countries',
      type: 'symbol',
      source: 'countries',
      maxzoom: 7,
      filter: ['>=', ['get', 'area'], ['step', ['zoom'], 700, 1.5, 250, 2.5, 60, 3.5, 20, 4.5, 4, 5.5, 0]],
      layout: {
        'text-field': ['get', 'name'],
        'text-font': FONTS,
        'text-size': ['interpolate', ['linear'], ['zoom'], 1, 10, 6, 15],
        'text-transform': 'uppercase',
        'text-letter-spacing': 0.14,
        'text-max-width': 7,
        'symbol-sort-key': ['-', 0, ['get', 'area']],
      },
      paint: nameColors(palette.country, palette.halo),
    },
    {
      id: 'towns',
      type: 'symbol',
      source: 'towns',
      minzoom: 2.4,
      filter: ['<', ['get', 'rank'], ['step', ['zoom'], 50, 3, 140, 4, 400, 5, 1100, 6, 2500, 7, 10_000]],
      layout: {
        'text-field': ['get', 'name'],
        'text-font': FONTS,
        'text-size': [
          'interpolate',
          ['linear'],
          ['zoom'],
          3,
          ['case', ['<', ['get', 'rank'], 100], 11.5, 10.5],
          9,
          ['case', ['<', ['get', 'rank'], 500], 17, 13],
        ],
        'text-padding': 6,
        'symbol-sort-key': ['get', 'rank'],
      },
      paint: nameColors(palette.town, palette.halo),
    },
  ]
}

function herd(palette: Palette): LayerSpecification[] {
  const color = serverColor(palette)
  return [
    {
      id: 'trails',
      type: 'line',
      source: 'trails',
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': color,
        'line-width': ['interpolate', ['linear'], ['zoom'], 2, 1.4, 12, 3],
        'line-opacity': ['match', ['get', 'part'], 0, 0.18, 1, 0.36, 0.62],
      },
    },
    {
      id: 'accuracy',
      type: 'fill',
      source: 'accuracy',
      paint: { 'fill-color': palette.accent, 'fill-opacity': 0.13 },
    },
    {
      id: 'accuracy-edge',
      type: 'line',
      source: 'accuracy',
      paint: { 'line-color': palette.accent, 'line-width': 1.2, 'line-opacity': 0.7 },
    },
    {
      id: 'places',
      type: 'circle',
      source: 'places',
      paint: {
        'circle-radius': 5,
        'circle-color': palette.place,
        'circle-stroke-width': 2,
        'circle-stroke-color': palette.labelHalo,
      },
    },
    {
      id: 'place-names',
      type: 'symbol',
      source: 'places',
      layout: {
        'text-field': ['get', 'name'],
        'text-font': FONTS,
        'text-size': 12.5,
        'text-anchor': 'top',
        'text-offset': [0, 0.7],
        'text-max-width': 12,
        'text-optional': true,
      },
      paint: nameColors(palette.place, palette.labelHalo),
    },
    {
      id: 'headings',
      type: 'symbol',
      source: 'movers',
      filter: ['all', ['has', 'course'], ['<', ['get', 'fresh'], STALE]],
      layout: {
        'icon-image': 'heading',
        'icon-rotate': ['get', 'course'],
        'icon-rotation-alignment': 'map',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'icon-size': ['interpolate', ['linear'], ['zoom'], 1, 0.62, 6, 0.86, 13, 1.2],
      },
      paint: { 'icon-color': color, 'icon-opacity': ['match', ['get', 'fresh'], 0, 1, 0.6] },
    },
    {
      id: 'movers',
      type: 'circle',
      source: 'movers',
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 1, 3.6, 6, 5, 13, 7.5],
        'circle-color': ['case', isStale, palette.land, color],
        'circle-opacity': ['match', ['get', 'fresh'], 0, 1, 1, 0.8, 2, 0.55, 3, 0.5, 0.25],
        'circle-stroke-color': ['case', isStale, palette.stale, palette.labelHalo],
        'circle-stroke-width': ['case', isStale, 1.6, 1.3],
        'circle-stroke-opacity': ['match', ['get', 'fresh'], 0, 1, 1, 0.9, 2, 0.8, 3, 0.9, 0.5],
      },
    },
    {
      id: 'mover-names',
      type: 'symbol',
      source: 'movers',
      layout: {
        'text-field': ['get', 'client'],
        'text-font': FONTS,
        'text-size': ['interpolate', ['linear'], ['zoom'], 3, 11, 12, 13.5],
        'text-anchor': 'left',
        'text-offset': [1.4, 0],
        'text-max-width': 30,
        'symbol-sort-key': ['get', 'fresh'],
      },
      paint: {
        ...nameColors(palette.label, palette.labelHalo),
        'text-opacity': ['match', ['get', 'fresh'], 0, 1, 1, 1, 0.75],
      },
    },
    {
      id: 'selected',
      type: 'circle',
      source: 'movers',
      filter: ['==', ['id'], -1],
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 1, 9, 13, 14],
        'circle-color': 'transparent',
        'circle-stroke-color': palette.accent,
        'circle-stroke-width': 2.5,
      },
    },
  ]
}

function nameColors(
  color: string,
  halo: string,
): { 'text-color': string; 'text-halo-color': string; 'text-halo-width': number } {
  return { 'text-color': color, 'text-halo-color': halo, 'text-halo-width': 1.4 }
}
