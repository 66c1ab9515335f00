/** Elements of the page. */

/** What an element is given: attributes, listeners (`onclick`), `class`; `false`, `null` and `undefined` leave an attribute out. */
export type Given = Readonly<
  Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>
>
/** What is put into an element. */
export type Child = Node | string | null | undefined | false

/** Makes an element. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  given: Given = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), given, children)
}

/** Makes an element of a drawing. */
export function drawing<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  given: Given = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), given, children)
}

/** The element of the page with an ID. @throws {Error} when the page has none, or of another kind. */
export function find<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`the page has no ${kind.name} #${id}`)
}

/** An icon out of the page's own drawing of icons. */
export function icon(name: string): SVGElement {
  const use = drawing('use', { href: `#i-${name}` })
  return drawing('svg', { class: 'icon', 'aria-hidden': 'true', viewBox: '0 0 24 24' }, use)
}

/** Whether somebody is typing, so that letters are no commands. */
export function isTyping(event: Event): boolean {
  const target = event.target
  return (
    target instanceof HTMLElement && (target.matches('input, textarea, select') || target.isContentEditable)
  )
}

function filled<Made extends Element>(made: Made, given: Given, children: readonly Child[]): Made {
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value)
    else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value === true ? '' : String(value))
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false))
  return made
}
