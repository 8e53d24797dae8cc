/** Light or dark: as the machine has it, until somebody says otherwise. */
import { assign, h, s } from './dom.ts'

type Theme = 'auto' | 'light' | 'dark'
const NAME = 'playhead.theme'
const NEXT: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' }
const WORDS: Readonly<Record<Theme, string>> = { auto: 'as the system', light: 'light', dark: 'dark' }

export function themeButton(): HTMLElement {
  let theme = read()
  const button = h('button', { type: 'button', class: 'icon-button' })
  const show = () => {
    document.documentElement.dataset.theme = theme
    const says = `Colours: ${WORDS[theme]}`
    assign(button, { 'aria-label': says, title: says })
    button.replaceChildren(ICONS[theme]())
  }
  button.addEventListener('click', () => {
    theme = NEXT[theme]
    write(theme)
    show()
  })
  show()
  return button
}

const icon =
  (...paths: readonly string[]) =>
  () =>
    s(
      'svg',
      { viewBox: '0 0 20 20', width: 18, height: 18, 'aria-hidden': 'true', class: 'icon' },
      ...paths.map((d) => s('path', { d })),
    )

const ICONS: Readonly<Record<Theme, () => SVGElement>> = {
  auto: icon('M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14z', 'M10 3v14M10 6.5l4.6-2M10 10.5l6.6-3M10 14.500l6.200-2.800'),
  light: icon(
    'M10 6.500a3.500 3.500 0 1 0 0 7a3.500 3.500 0 0 0 0-7z',
    'M10 1.500v2M10 16.500v2M1.500 10h2M16.500 10h2M4 4l1.400 1.400M14.600 14.600l1.400 1.400M4 16l1.400-1.400M14.600 5.400l1.400-1.400',
  ),
  dark: icon('M16.500 12.200a7 7 0 0 1-8.700-8.700a7 7 0 1 0 8.700 8.700z'),
}

function read(): Theme {
  try {
    const kept = localStorage.getItem(NAME)
    return kept === 'light' || kept === 'dark' ? kept : 'auto'
  } catch (error) {
    if (error instanceof DOMException) return 'auto'
    throw error
  }
}

function write(theme: Theme): void {
  try {
    localStorage.setItem(NAME, theme)
  } catch (error) {
    // Kept for this page then, and no longer.
    if (!(error instanceof DOMException)) throw error
  }
}
