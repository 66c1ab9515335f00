/** The map: the world, and the clients on it. */
import {
  AttributionControl,
  type GeoJSONSource,
  Map as MapLibre,
  type MapMouseEvent,
  NavigationControl,
  type PointLike,
  ScaleControl,
  setWorkerUrl,
} from 'maplibre-gl'
import { boundsOf } from './bounds.ts'
import { circleRing } from './circle.ts'
import { followingZoom } from './following-zoom.ts'
import { addHeading } from './heading.ts'
import { look, mark } from './map-look.ts'
import { GLIDING_MAX, type Mover, type Movers } from './movers.ts'
import type { Palette } from './palette.ts'
import type { ServerColors } from './server-colors.ts'
import { addStreetTiles, streetLayers } from './street-tiles.ts'
import { type LonLat, TRAIL_PARTS } from './trail.ts'
import * as world from './world.ts'

/** Trails of all clients are drawn up to so many; beyond that only that of the selected one. */
const TRAILED_MAX = 250
/** Names of all clients from far up to so many; beyond that from near. */
const NAMED_MAX = 250
const NAMED_ZOOM = 8
const HEADED_ZOOM = 5
/** Looks become older, and trails longer, this often. */
const SLOW_MS = 250
/** Those who jump are drawn this seldom, and a millisecond more for so many of them: 10,000 five times a second. */
const MANY_MS = 100
const MANY_PER_MS = 100
/** A finger is wider than an arrow. Pixels. */
const REACH = { mouse: 6, touch: 16 } as const
const LONG_PRESS_MS = 550

/** Where the map gets what it draws. */
export interface MapFiles {
  readonly worker: string
  readonly world: string
  readonly labels: string
}

/** What somebody did on the map. */
export interface MapActions {
  /** Somebody pointed at a client; `null`: at none. */
  pick(mover: Mover | null): void
  /** Somebody wants to know what is at a point, and perhaps at a client there. */
  ask(at: LonLat, mover: Mover | null): void
  /** Somebody moved the map away from the client that it followed. */
  unfollow(): void
}

/** What is shown where, besides the clients. */
export interface ShownPlace {
  readonly name: string
  readonly at: LonLat
}

type PaintName = Parameters<MapLibre['setPaintProperty']>[1]
type Change = NonNullable<Parameters<GeoJSONSource['updateData']>[0]['update']>[number]

/** One page has one. */
export class MapView {
  readonly map: MapLibre
  readonly #movers: Movers
  readonly #colors: ServerColors
  #palette: Palette
  #selected: string | null = null
  #isFollowing = false
  #hasTrails = true
  #isBusy = false
  #slowMs = 0
  #nextMs = 0
  readonly #trailed = new Set<number>()
  #isReady = false
  #hasFew = true

  constructor(
    container: HTMLElement,
    files: MapFiles,
    palette: Palette,
    movers: Movers,
    colors: ServerColors,
    actions: MapActions,
  ) {
    this.#movers = movers
    this.#colors = colors
    this.#palette = palette
    setWorkerUrl(new URL(files.worker, document.baseURI).href)
    this.map = new MapLibre({
      container,
      style: look(palette),
      center: [8, 24],
      zoom: 1.6,
      minZoom: 0.4,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 150,
      clickTolerance: 5,
      refreshExpiredTiles: false,
    })
    this.map.touchZoomRotate.disableRotation()
    this.map.keyboard.disableRotation()
    const natural =
      '<a href="https://www.naturalearthdata.com/" target="_blank" rel="noopener">Natural Earth</a>'
    const geoNames = '<a href="https://www.geonames.org/" target="_blank" rel="noopener">GeoNames</a>'
    this.map.addControl(
      new AttributionControl({ compact: true, customAttribution: `${natural} · ${geoNames}` }),
      'bottom-right',
    )
    this.map.addControl(new ScaleControl({ maxWidth: 110 }), 'bottom-right')
    this.map.addControl(new NavigationControl({ showCompass: false }), 'bottom-right')
    this.#listen(actions)
    // A map that is torn from its graphics card comes back by itself; what else fails is of no use to the person.
    this.map.on('error', () => undefined)
    // While the map is still getting ready.
    const topology = fetchJson<world.World>(files.world)
    const names = fetchJson<world.Labels>(files.labels)
    this.map.once('load', () => {
      addHeading(this.map)
      this.#isReady = true
      this.select(this.#selectedMover ?? null)
      void this.#showWorld(topology, names)
      this.#frame()
    })
  }

  /** Puts the ground into other colors. */
  set palette(palette: Palette) {
    this.#palette = palette
    for (const layer of [...look(palette).layers, ...streetLayers(palette)]) {
      if (this.map.getLayer(layer.id) === undefined) continue
      for (const [name, value] of Object.entries(layer.paint ?? {})) {
        if (isPaint(name)) this.map.setPaintProperty(layer.id, name, value)
      }
    }
  }

  /** Lays street tiles under the herd. */
  async addStreets(url: string): Promise<void> {
    if (!this.#isReady) await this.map.once('load')
    await addStreetTiles(this.map, new URL(url, document.baseURI).href, this.#palette)
  }

  /** A globe, or a flat map. */
  set isGlobe(isGlobe: boolean) {
    const set = (): unknown => this.map.setProjection({ type: isGlobe ? 'globe' : 'mercator' })
    if (this.map.isStyleLoaded() || this.#isReady) set()
    else this.map.once('load', set)
  }

  /** Whether trails are drawn. */
  set hasTrails(hasTrails: boolean) {
    this.#hasTrails = hasTrails
    this.#slowMs = 0
  }

  /** Draws a ring around a client; `null`: around none. */
  select(mover: Mover | null): void {
    this.#selected = mover?.client ?? null
    if (this.#isReady) mark(this.map, mover?.number ?? -1)
    this.#slowMs = 0
    if (mover === null) this.#isFollowing = false
  }

  /** Keeps the selected client in the middle, or lets it go. */
  set isFollowing(isFollowing: boolean) {
    this.#isFollowing = isFollowing
    const mover = this.#selectedMover
    if (isFollowing && mover !== undefined) this.flyTo(mover.drawn, followingZoom(mover.fix))
  }

  /** Takes what is left of the map for all of it. Pixels. */
  cover({ right, bottom }: { readonly right: number; readonly bottom: number }): void {
    this.map.setPadding({ top: 0, left: 0, right, bottom })
  }

  /** Brings a point to the middle, from near enough to tell clients apart. */
  flyTo(at: LonLat, zoomMin = 9): void {
    const zoom = Math.max(this.map.getZoom(), zoomMin)
    this.map.flyTo({ center: [...at], zoom, duration: 900 })
  }

  /** Shows all of these points. */
  fit(points: Iterable<LonLat>, zoomMax = 11): void {
    const bounds = boundsOf(points)
    if (bounds === null) return
    const { west, south, east, north } = bounds
    const { clientWidth } = this.map.getContainer()
    const side = Math.min(110, clientWidth / 8)
    const padding = { top: 130, bottom: 90, left: side, right: side }
    this.map.fitBounds([west, south, east, north], { padding, maxZoom: zoomMax, duration: 700 })
  }

  /** What lies in the view, in the middle and half as far as its corner. */
  get view(): { readonly center: LonLat; readonly corner: LonLat } {
    const { lng, lat } = this.map.getCenter()
    const corner = this.map.getBounds().getNorthEast()
    return { center: [lng, lat], corner: [corner.lng, corner.lat] }
  }

  /** Shows places, instead of those before. */
  showPlaces(places: readonly ShownPlace[]): void {
    const features = places.map(({ name, at }) => world.point(at, { name }))
    this.#source('places')?.setData(world.collection(features)).catch(ignore)
  }

  get #selectedMover(): Mover | undefined {
    return this.#selected === null ? undefined : this.#movers.get(this.#selected)
  }

  #source(id: string): GeoJSONSource | undefined {
    return this.map.getSource<GeoJSONSource>(id)
  }

  /** Draws what has changed: at most once a frame, and not before the last change is drawn. */
  readonly #frame = (): void => {
    requestAnimationFrame(this.#frame)
    const nowMs = performance.now()
    const isSlow = nowMs - this.#slowMs >= SLOW_MS
    if (isSlow) {
      this.#slowMs = nowMs
      this.#movers.age(nowMs)
      this.#suitNumber()
    }
    this.#movers.glide(nowMs)
    if (isSlow) this.#drawTrails()
    // Tiles that are being made would be begun anew by each change, and never be done.
    if (
      nowMs < this.#nextMs ||
      this.#isBusy ||
      !this.#movers.hasChanges ||
      !this.map.isSourceLoaded('movers')
    )
      return
    const { added, changed, removed } = this.#movers.takeChanges()
    this.#isBusy = true
    if (this.#movers.size > GLIDING_MAX) this.#nextMs = nowMs + MANY_MS + this.#movers.size / MANY_PER_MS
    this.#source('movers')
      ?.updateData({
        remove: [...removed],
        add: added.map((mover) => this.#feature(mover)),
        update: changed.map((mover) => this.#diff(mover)),
      })
      .catch(ignore)
      .finally(() => {
        this.#isBusy = false
      })
    this.#attendSelected()
  }

  #properties({ client, fix, freshness }: Mover): Record<string, string | number> {
    const moves = fix.heading_deg !== undefined && fix.speed_mps !== 0
    return {
      ...{ client, fresh: freshness, server: this.#colors.of(fix.server) },
      ...(moves && { course: fix.heading_deg ?? 0 }),
    }
  }

  #feature(mover: Mover): GeoJSON.Feature {
    return { ...world.point(mover.drawn, this.#properties(mover)), id: mover.number }
  }

  #diff(mover: Mover): Change {
    const properties = Object.entries(this.#properties(mover)).map(([key, value]) => ({ key, value }))
    return {
      id: mover.number,
      newGeometry: { type: 'Point', coordinates: [...mover.drawn] },
      addOrUpdateProperties: properties,
      ...(mover.fix.heading_deg === undefined && { removeProperties: ['course'] }),
    }
  }

  #attendSelected(): void {
    const mover = this.#selectedMover
    const radius = mover?.fix.accuracy_m ?? 0
    const ring =
      mover === undefined || radius === 0
        ? []
        : [circleRing(mover.drawn, radius).map((corner) => [...corner])]
    this.#source('accuracy')
      ?.setData(ring.length === 0 ? world.collection([]) : { type: 'Polygon', coordinates: ring })
      .catch(ignore)
    if (mover !== undefined && this.#isFollowing && !this.map.isMoving())
      this.map.jumpTo({ center: [...mover.drawn] })
  }

  #drawTrails(): void {
    const mover = this.#selectedMover
    const few = this.#movers.size <= TRAILED_MAX ? [...this.#movers.all] : mover === undefined ? [] : [mover]
    const shown = this.#hasTrails
      ? few.filter(({ trail }) => trail.length > 1)
      : mover === undefined
        ? []
        : [mover]
    const add = shown.flatMap(({ number, trail, drawn, fix }) =>
      trail.parts(drawn).map((line, part, all): GeoJSON.Feature => {
        const properties = { part: part + TRAIL_PARTS - all.length, server: this.#colors.of(fix.server) }
        const coordinates = line.map((at) => [...at])
        return {
          type: 'Feature',
          id: number * TRAIL_PARTS + part,
          properties,
          geometry: { type: 'LineString', coordinates },
        }
      }),
    )
    if (add.length + this.#trailed.size === 0) return
    this.#trailed.clear()
    for (const { id } of add) this.#trailed.add(Number(id))
    this.#source('trails')?.setData(world.collection(add)).catch(ignore)
    this.#attendSelected()
  }

  /** Names and headings of very many are drawn from near only. */
  #suitNumber(): void {
    const hasFew = this.#movers.size <= NAMED_MAX
    if (hasFew === this.#hasFew) return
    this.#hasFew = hasFew
    this.map.setLayerZoomRange('mover-names', hasFew ? 0 : NAMED_ZOOM, 24)
    this.map.setLayerZoomRange('headings', hasFew ? 0 : HEADED_ZOOM, 24)
  }

  async #showWorld(topology: Promise<world.World>, names: Promise<world.Labels>): Promise<void> {
    this.#source('graticule')?.setData(world.graticule()).catch(ignore)
    const known = await topology
    const land = world.landOf(known)
    this.#source('land')?.setData(land).catch(ignore)
    this.#source('borders')?.setData(world.bordersOf(known)).catch(ignore)
    this.#source('countries')?.setData(world.countryNames(land)).catch(ignore)
    this.#source('towns')
      ?.setData(world.townNames(await names))
      .catch(ignore)
  }

  #at(point: { readonly x: number; readonly y: number }, reach: number): Mover | null {
    if (!this.#isReady) return null
    const box: [PointLike, PointLike] = [
      [point.x - reach, point.y - reach],
      [point.x + reach, point.y + reach],
    ]
    const near = this.map.queryRenderedFeatures(box, { layers: ['movers'] }).flatMap(({ id }) => {
      const mover = this.#movers.numbered(Number(id))
      return mover === undefined ? [] : [mover]
    })
    const far = ({ drawn }: Mover): number => {
      const at = this.map.project([...drawn])
      return Math.hypot(at.x - point.x, at.y - point.y)
    }
    return near.toSorted((a, b) => far(a) - far(b))[0] ?? null
  }

  #listen(actions: MapActions): void {
    let reach: number = REACH.mouse
    this.map.getCanvas().addEventListener('pointerdown', ({ pointerType }) => {
      reach = pointerType === 'touch' ? REACH.touch : REACH.mouse
    })
    const ask = ({ point, lngLat }: Pick<MapMouseEvent, 'point' | 'lngLat'>): void => {
      const { lng, lat } = lngLat.wrap()
      actions.ask([lng, lat], this.#at(point, reach))
    }
    this.map.on('click', ({ point }) => actions.pick(this.#at(point, reach)))
    this.map.on('contextmenu', ask)
    // Phones that send no `contextmenu`.
    let press: ReturnType<typeof setTimeout> | undefined
    const release = (): void => clearTimeout(press)
    this.map.on('touchstart', (event) => {
      release()
      if (event.originalEvent.touches.length === 1) press = setTimeout(() => ask(event), LONG_PRESS_MS)
    })
    for (const type of ['touchend', 'touchcancel', 'touchmove', 'movestart', 'contextmenu'] as const)
      this.map.on(type, release)
    this.map.on('mousemove', ({ point }) => {
      this.map.getCanvas().style.cursor = this.#at(point, reach) === null ? '' : 'pointer'
    })
    this.map.on('dragstart', () => actions.unfollow())
  }
}

async function fetchJson<Shape>(url: string): Promise<Shape> {
  const response = await fetch(url)
  const json: Shape = await response.json()
  return json
}

/** Names out of a layer's `paint` are nothing else. */
function isPaint(name: string): name is PaintName {
  return name.includes('-')
}

/** Of a source that was taken away meanwhile. */
function ignore(): void {}
