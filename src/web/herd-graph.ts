/** The servers as a drawing. */

import type { HerdJson } from '../gateways/http/shapes.ts'
import { layoutGraph } from './graph-layout.ts'
import { type LinkState, linkStates, serverLevel } from './herd-state.ts'
import { drawing } from './page.ts'
import type { ServerColors } from './server-colors.ts'
import { count, figure, milliseconds } from './units.ts'

const SIZE = 520
const MARGIN = 88
const SERVER_RADIUS = 28
/** How wide a letter of a figure is, at most. */
const LETTER = 7
/** A link owes so many fixes before that is worth a color. */
const WAITS_FROM = 50

interface Spot {
  readonly x: number
  readonly y: number
}

/** Draws the herd anew; each server is where it was, as long as servers and links are the same. */
export function herdGraph(herd: HerdJson, colors: ServerColors): SVGElement {
  const links = linkStates(herd)
  const places = layoutGraph(
    herd.servers.map(({ name }) => name),
    links.map(({ ends }) => ends),
  )
  const spot = (name: string): Spot => {
    const { x, y } = places.get(name) ?? { x: 0, y: 0 }
    const reach = SIZE / 2 - MARGIN
    return { x: SIZE / 2 + x * reach, y: SIZE / 2 + y * reach }
  }
  const open = links.filter((link) => link.open).length
  const label = `${herd.servers.length} servers, ${open} of ${links.length} links open`
  const heights = herd.servers.map(({ name }) => spot(name).y)
  const top = Math.min(...heights) - SERVER_RADIUS - 40
  const bottom = Math.max(...heights) + SERVER_RADIUS + 44
  return drawing(
    'svg',
    { viewBox: `0 ${top} ${SIZE} ${bottom - top}`, role: 'img', 'aria-label': label },
    ...links.map((link) => linkLine(link, spot)),
    ...herd.servers.map((server) => serverSpot(server, herd, spot(server.name), colors)),
    ...links.map((link) => linkText(link, spot)),
  )
}

function linkClass({ open, queued }: LinkState): string {
  return open ? (queued >= WAITS_FROM ? 'waits' : '') : 'down'
}

function linkLine(link: LinkState, spot: (name: string) => Spot): SVGElement {
  const [a, b] = link.ends.map(spot)
  return drawing('line', { class: `link ${linkClass(link)}`, x1: a?.x, y1: a?.y, x2: b?.x, y2: b?.y })
}

function linkText(link: LinkState, spot: (name: string) => Spot): SVGElement {
  const [a = { x: 0, y: 0 }, b = { x: 0, y: 0 }] = link.ends.map(spot)
  const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2]
  const state = linkClass(link)
  const lines = link.open
    ? [
        link.roundTripMs === null ? '–' : milliseconds(link.roundTripMs),
        [
          link.perSecond === null ? '' : `${figure(link.perSecond)}/s`,
          link.queued > 0 ? `${count(link.queued)} queued` : '',
        ]
          .filter((text) => text !== '')
          .join(' · '),
      ].filter((line) => line !== '')
    : ['closed']
  const width = Math.max(...lines.map((line) => line.length)) * LETTER + 10
  const height = lines.length * 15 + 4
  return drawing(
    'g',
    {},
    drawing('rect', {
      ...{ class: 'behind', x: x - width / 2, y: y - height / 2, width, height, rx: 6 },
    }),
    ...lines.map((line, index) =>
      drawing(
        'text',
        { class: `small on-link ${state}`, x, y: y + 4 + (index - (lines.length - 1) / 2) * 15 },
        line,
      ),
    ),
  )
}

function serverSpot(
  server: HerdJson['servers'][number],
  herd: HerdJson,
  { x, y }: Spot,
  colors: ServerColors,
): SVGElement {
  const down = serverLevel(server).level === 'bad' ? ' down' : ''
  const clients = server.health?.clients
  const inside = down !== '' ? '×' : clients === undefined ? '' : short(clients)
  const below = y > SIZE / 2 - 1 || herd.servers.length === 1
  return drawing(
    'g',
    { 'data-server': colors.of(server.name), 'data-name': server.name },
    server.name === herd.server && drawing('circle', { class: 'own', cx: x, cy: y, r: SERVER_RADIUS + 5 }),
    drawing('circle', { class: `server${down}`, cx: x, cy: y, r: SERVER_RADIUS }),
    drawing('text', { class: `inside${down}`, x, y: y + 5 }, inside),
    drawing('text', { x, y: below ? y + SERVER_RADIUS + 24 : y - SERVER_RADIUS - 13 }, server.name),
  )
}

/** A number in the room of a circle. */
function short(number: number): string {
  if (number < 1000) return String(number)
  return number < 1e6 ? `${figure(number / 1000)}k` : `${figure(number / 1e6)}M`
}
