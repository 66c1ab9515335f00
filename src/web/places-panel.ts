/** The places around a client, as the card shows them. */

import { metresBetween } from './circle.ts'
import type { PlacesAnswer } from './google-places.ts'
import { type Child, element } from './page.ts'
import type { LonLat } from './trail.ts'
import { distance } from './units.ts'

/** @param intro which client, and why that one. @param show brings a place to the middle of the map. */
export function placesPanel(
  intro: string,
  from: LonLat,
  answer: PlacesAnswer,
  show: (at: LonLat) => void,
): HTMLElement {
  const { places, attributions, problem } = answer
  return element(
    'section',
    { class: 'places', 'aria-label': 'Places' },
    element('h3', {}, 'What’s here'),
    element('p', { class: 'quiet' }, intro),
    problem !== '' && element('p', { role: 'alert' }, problem),
    problem === '' && places.length === 0 && element('p', {}, 'No place is known near there.'),
    element(
      'ul',
      {},
      ...places.map(({ name, vicinity, at }) =>
        element(
          'li',
          {},
          element(
            'button',
            { type: 'button', onclick: () => show(at) },
            name,
            element(
              'div',
              { class: 'vicinity' },
              [vicinity, distance(metresBetween(from, at))].filter(Boolean).join(' · '),
            ),
          ),
        ),
      ),
    ),
    attributions.length > 0 &&
      element(
        'p',
        { class: 'attribution' },
        ...attributions.flatMap((html, index) => [index > 0 && ' · ', ...safe(html)]),
      ),
  )
}

/** The text of some HTML, with its links to the web and nothing else of it. */
function safe(html: string): Child[] {
  const body = new DOMParser().parseFromString(html, 'text/html').body
  return [...body.childNodes].map((node) => {
    const text = node.textContent ?? ''
    if (!(node instanceof Element) || node.localName !== 'a') return text
    const href = node.getAttribute('href') ?? ''
    return /^https?:\/\//i.test(href)
      ? element('a', { href, target: '_blank', rel: 'noopener noreferrer' }, text)
      : text
  })
}
