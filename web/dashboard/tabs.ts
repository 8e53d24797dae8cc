/** One of several, by buttons: what is chosen is pressed. */
import { assign, h } from '../shared/dom.ts'

export interface Tabs<T extends string> {
  readonly element: HTMLElement
  choose(name: T): void
}

export function tabs<T extends string>(
  label: string,
  all: readonly { readonly name: T; readonly says: string }[],
  onChoose: (name: T) => void,
): Tabs<T> {
  const buttons = new Map(
    all.map(({ name, says }) => [name, h('button', { type: 'button', onClick: () => onChoose(name) }, says)]),
  )
  return {
    element: h('div', { class: 'tabs', role: 'group', 'aria-label': label }, ...buttons.values()),
    choose: (chosen) => {
      for (const [name, button] of buttons) assign(button, { 'aria-pressed': String(name === chosen) })
    },
  }
}
