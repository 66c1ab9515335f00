/** What a page without clients says: how to report the first one. */
import { element, icon } from './page.ts'

/** Fills the panel. @param origin where this page is from. */
export function fillWelcome(panel: HTMLElement, origin: string): void {
  const base = origin.replace(/\/$/, '')
  const report = `curl ${base}/v1/fixes -H 'content-type: application/json' -d '{"client":"kiwi","lat":34.0689,"lon":-118.4451}'`
  panel.replaceChildren(
    element('h2', { id: 'welcome-title' }, 'Nobody is on the map yet'),
    element(
      'p',
      {},
      'It is live: whoever reports to any server of this herd appears within a second. For example:',
    ),
    line(report),
    element('p', {}, 'Or start a herd with simulated phones, buses, a plane and a ship:'),
    line('herd up --demo'),
    element('p', {}, 'A phone with OwnTracks or Traccar Client can be pointed at this address as well.'),
  )
}

function line(text: string): HTMLElement {
  const copy = (event: Event): void => {
    const button = event.currentTarget
    navigator.clipboard.writeText(text).then(
      () => button instanceof HTMLElement && button.setAttribute('aria-label', 'Copied'),
      () => undefined,
    )
  }
  // Browsers let pages copy only where nobody can have changed them on the way.
  const button =
    window.isSecureContext &&
    element('button', { type: 'button', 'aria-label': 'Copy', title: 'Copy', onclick: copy }, icon('copy'))
  return element('div', { class: 'line' }, element('code', {}, text), button)
}
