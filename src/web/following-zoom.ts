/** From how near somebody who moves is watched. Pure. */
import type { Fix } from '../client/index.ts'

/** Metres of a pixel at the equator, at zoom 0: the world is 512 pixels wide. */
const EQUATOR_METRES = 40_075_017 / 512
/** As many pixels it moves in a minute, so that one sees it move and sees where. */
const PIXELS_A_MINUTE = 60
const ZOOM_MIN = 7
/** The map that ships has nothing more to show from nearer. */
const ZOOM_MAX = 12
/** For who doesn't say how fast. */
const ZOOM_USUAL = 11

/** The zoom to follow a client at: nearer, the slower it is. */
export function followingZoom({ lat, speed_mps: speed }: Pick<Fix, 'lat' | 'speed_mps'>): number {
  if (speed === undefined) return ZOOM_USUAL
  const metresOfPixel = (speed * 60) / PIXELS_A_MINUTE
  const zoom = Math.log2((EQUATOR_METRES * Math.cos((lat * Math.PI) / 180)) / metresOfPixel)
  return Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, zoom))
}
