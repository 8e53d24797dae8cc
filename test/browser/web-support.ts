/** Pages for tests: an audience of a few views in an engine, and a dashboard opened on it. */

import type { TestContext } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openContext } from './browser.ts'
import type { Engine } from './engine.ts'

type Event = Readonly<Record<string, unknown>>

/** A view that began so long ago and plays; with a stall, or a failure in place of a start. */
export function viewEvents(
  n: number,
  agoMs: number,
  how: 'plays' | 'stalls' | 'fails' | 'ends' = 'plays',
): readonly Event[] {
  const startMs = Date.now() - agoMs
  let sequence = 0
  const event = (type: string, atMs: number, positionMs: number, more: Event = {}): Event => ({
    type,
    profileId: `viewer-${n}`,
    sessionId: `session-${n}`,
    titleId: n % 2 === 0 ? 'night-trains' : 'harbour',
    sequence: sequence++,
    positionMs,
    occurredAt: startMs + atMs,
    ...more,
  })
  const context = { deviceType: 'tv', player: 'hls.js', country: 'DE', cdn: n % 3 === 0 ? 'fastly' : 'akamai' }
  const events = [event('PlaybackStarted', 0, 0, { context })]
  if (how === 'fails') {
    return [
      ...events,
      event('PlaybackFailed', 900, 0, { code: 'MANIFEST_404', fatal: true, phase: 'startup', played: [] }),
    ]
  }
  events.push(event('FirstFrame', 800, 0, { startupMs: 800, videoBitrateKbps: 3_000 }))
  let [atMs, positionMs] = [800, 0]
  while (atMs + 5_000 < agoMs) {
    const played = [{ fromMs: positionMs, toMs: positionMs + 5_000 }]
    atMs += 5_000
    positionMs += 5_000
    if (how === 'stalls' && positionMs === 10_000) {
      events.push(event('StallStarted', atMs, positionMs, { played }))
      atMs += 2_000
      events.push(event('StallEnded', atMs, positionMs, { stallMs: 2_000 }))
    } else {
      events.push(
        event('Heartbeat', atMs, positionMs, {
          state: 'playing',
          durationMs: 600_000,
          videoBitrateKbps: 3_000,
          played,
        }),
      )
    }
  }
  if (how === 'ends') events.push(event('PlaybackEnded', atMs + 100, positionMs, { reason: 'quit', played: [] }))
  return events
}

export async function post({ api, keys }: Engine, events: readonly Event[]): Promise<void> {
  const answer = await fetch(`${api}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-playhead-key': keys.publishable },
    body: JSON.stringify({ events, sentAt: Date.now() }),
  })
  if (answer.status !== 202) throw new Error(await answer.text())
}

export interface Look {
  readonly scheme?: 'light' | 'dark'
  readonly width?: number
  readonly tolerate?: readonly RegExp[]
}

export async function openPage(t: TestContext, browser: Browser, url: string, look: Look = {}): Promise<Page> {
  const context = await openContext(t, browser, { tolerate: look.tolerate ?? [] })
  const page = await context.newPage()
  await page.emulateMedia({ colorScheme: look.scheme ?? 'light', reducedMotion: 'reduce' })
  await page.setViewportSize({ width: look.width ?? 1_280, height: 900 })
  await page.goto(url)
  return page
}

/** Text and what lies behind it, of every element that shows text of its own: those below 4.5:1 (3:1 where large). */
export async function poorContrast(page: Page): Promise<readonly string[]> {
  return await page.evaluate(CONTRAST)
}

/** As text: it runs in the page, and the compiler here knows no page. */
const CONTRAST = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data].map((v, i) => (i === 3 ? v / 255 : v))
  }
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1]
  const behind = (element) => {
    const layers = []
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor))
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1])
  }
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const poor = []
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '')
    const box = element.getBoundingClientRect()
    if (!own || box.width < 2 || box.height < 2 || element.closest('.unseen, .skip, [disabled], title')) continue
    const style = getComputedStyle(element)
    const ground = behind(element)
    const ink = over(rgba(element instanceof SVGElement ? style.fill : style.color), ground)
    const [a, b] = [light(ink), light(ground)]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    const large = parseFloat(style.fontSize) >= 24
    if (ratio < (large ? 3 : 4.5)) poor.push(element.className + ' "' + element.textContent.trim().slice(0, 30) + '" ' + ratio.toFixed(2))
  }
  return [...new Set(poor)]
})()`

/** Controls without a name that a screen reader could say, and ids that are there twice. */
export async function namelessControls(page: Page): Promise<readonly string[]> {
  return await page.evaluate(NAMELESS)
}

const NAMELESS = `(() => {
  const wrong = []
  for (const element of document.querySelectorAll('button, a, input, [tabindex="0"]')) {
    const label = element.getAttribute('aria-label') || element.textContent.trim() || (element.labels && element.labels.length > 0)
    if (!label) wrong.push(element.outerHTML.slice(0, 80))
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
  return [...wrong, ...ids.filter((id, i) => ids.indexOf(id) !== i)]
})()`
