/** Elements from code. Text goes in as text: nothing that comes from the API is ever parsed as HTML. */

export type Child = Node | string | number | null | undefined | false
type Handler = (event: never) => void
export type Props = Readonly<Record<string, string | number | boolean | null | undefined | Handler>>

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  assign(element, props)
  append(element, children)
  return element
}

const SVG = 'http://www.w3.org/2000/svg'

export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag) as SVGElementTagNameMap[K]
  assign(element, props)
  append(element, children)
  return element
}

/** `on…` listens; true is an attribute without a value; false, null and undefined are none. */
export function assign(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2).toLowerCase(), value as EventListener)
    else if (value === false || value === null || value === undefined) element.removeAttribute(name)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue
    element.append(typeof child === 'number' ? String(child) : child)
  }
}

export function fill(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren()
  append(element, children)
}

/** Only what changed is written: a second is short, and a screen reader would hear it all again. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

export function mustFind<E extends Element = HTMLElement>(selector: string): E {
  const found = document.querySelector<E>(selector)
  if (found === null) throw new Error(`the page has no ${selector}`)
  return found
}
