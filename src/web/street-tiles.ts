/** Street tiles out of the archive that the herd file names: pictures, or the usual layers of Protomaps and OpenMapTiles. */
import { addProtocol, type LayerSpecification, type Map as MapLibre } from 'maplibre-gl'
import { PMTiles, Protocol, TileType } from 'pmtiles'
import { FIRST_OF_HERD, FONTS, OWN_NAMES } from './map-look.ts'
import type { Palette } from './palette.ts'

/** Names of towns that come with the map end here where the tiles have their own. */
const OWN_NAMES_ZOOM_MAX = 7

/** Adds the tiles under what is the herd's. @param url of the archive. @returns who made them, as the archive says. */
export async function addStreetTiles(map: MapLibre, url: string, palette: Palette): Promise<string> {
  const archive = new PMTiles(url)
  const protocol = new Protocol({ metadata: true })
  protocol.add(archive)
  addProtocol('pmtiles', protocol.tile)
  const { tileType, minZoom, maxZoom } = await archive.getHeader()
  const metadata: unknown = await archive.getMetadata()
  const attribution = textIn(metadata, 'attribution')
  const about = { url: `pmtiles://${url}`, attribution }
  if (tileType !== TileType.Mvt) {
    map.addSource('streets', { type: 'raster', tileSize: 256, minzoom: minZoom, maxzoom: maxZoom, ...about })
    map.addLayer({ id: 'streets', type: 'raster', source: 'streets' }, OWN_NAMES)
    map.setLayerZoomRange(OWN_NAMES, 0, OWN_NAMES_ZOOM_MAX)
    return attribution
  }
  map.addSource('streets', { type: 'vector', ...about })
  const names = layerNames(metadata)
  const layers = streetLayers(palette).filter(
    (layer) => 'source-layer' in layer && names.has(layer['source-layer'] ?? ''),
  )
  for (const layer of layers) map.addLayer(layer, layer.type === 'symbol' ? FIRST_OF_HERD : OWN_NAMES)
  if (layers.some(({ type }) => type === 'symbol')) map.setLayerZoomRange(OWN_NAMES, 0, OWN_NAMES_ZOOM_MAX)
  return attribution
}

/** What street tiles may have; a layer is there once for each of the two schemas, and only those that the tiles have are added. */
export function streetLayers(palette: Palette): LayerSpecification[] {
  const fills = [
    ...(['earth', 'land'] as const).map((layer) => [layer, palette.land] as const),
    ...(['landuse', 'landcover', 'park'] as const).map((layer) => [layer, palette.green] as const),
    ['water', palette.water] as const,
    ...(['buildings', 'building'] as const).map((layer) => [layer, palette.building] as const),
  ]
  return [
    ...fills.map(
      ([layer, color]): LayerSpecification => ({
        ...{ id: `streets-${layer}`, type: 'fill', source: 'streets', 'source-layer': layer },
        filter: ['==', ['geometry-type'], 'Polygon'],
        paint: { 'fill-color': color, ...(color === palette.green && { 'fill-opacity': 0.55 }) },
      }),
    ),
    ...['waterway', 'physical_line'].map((layer) => streetLine(layer, 'water', palette.water, 1)),
    ...['roads', 'transportation'].flatMap((layer) => [
      streetLine(layer, 'case', palette.streetCase, 1.7),
      streetLine(layer, 'top', palette.street, 1),
    ]),
    ...['boundaries', 'boundary'].map((layer) => streetLine(layer, 'top', palette.border, 0.4)),
    ...['roads', 'transportation_name'].map((layer) => streetNames(layer, 'line', palette, 13)),
    ...['places', 'place'].map((layer) => streetNames(layer, 'point', palette, 4)),
  ]
}

function streetLine(layer: string, part: string, color: string, width: number): LayerSpecification {
  return {
    ...{ id: `streets-${layer}-${part}`, type: 'line', source: 'streets', 'source-layer': layer },
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: {
      'line-color': color,
      'line-width': [
        'interpolate',
        ['exponential', 1.6],
        ['zoom'],
        6,
        0.5 * width,
        14,
        3 * width,
        19,
        18 * width,
      ],
    },
  }
}

function streetNames(
  layer: string,
  placement: 'line' | 'point',
  palette: Palette,
  minzoom: number,
): LayerSpecification {
  return {
    ...{ id: `streets-${layer}-names`, type: 'symbol', source: 'streets', 'source-layer': layer, minzoom },
    layout: {
      'symbol-placement': placement,
      'text-field': ['coalesce', ['get', 'name:en'], ['get', 'name_en'], ['get', 'name'], ''],
      'text-font': FONTS,
      'text-size': placement === 'line' ? 11.5 : 13,
    },
    paint: { 'text-color': palette.town, 'text-halo-color': palette.halo, 'text-halo-width': 1.4 },
  }
}

function textIn(metadata: unknown, name: string): string {
  if (typeof metadata !== 'object' || metadata === null) return ''
  const value: unknown = Object.entries(metadata).find(([key]) => key === name)?.[1]
  return typeof value === 'string' ? value : ''
}

function layerNames(metadata: unknown): ReadonlySet<string> {
  if (typeof metadata !== 'object' || metadata === null || !('vector_layers' in metadata)) return new Set()
  const layers = Array.isArray(metadata.vector_layers) ? metadata.vector_layers : []
  return new Set(layers.map((layer: unknown) => textIn(layer, 'id')))
}
