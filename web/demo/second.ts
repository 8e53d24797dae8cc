/**
 * The second device. It knows nothing but what the engine tells it: progress comes over the profile's live stream. Off, it
 * offers to go on where the other one is; on, it plays from there.
 */
import { fill, h, say } from '../shared/dom.ts'
import { ago, clock } from '../shared/format.ts'
import { WEB_LIMITS } from '../shared/limits.ts'
import type { Device } from './device.ts'

export interface Progress {
  readonly titleId: string
  readonly positionMs: number
  readonly durationMs: number | null
  readonly percent: number | null
  readonly completed: boolean
  readonly device: string | null
  readonly updatedAt: number
}

export interface SecondDevice {
  readonly element: HTMLElement
  hear(progress: Progress): void
  tick(nowMs: number): void
  connected(says: string): void
  /** Off, if it is on; what `onStop` does follows. */
  putAway(): void
}

interface Parts {
  readonly device: Device
  /** Before it starts, and after it stopped. */
  readonly onStart: () => Promise<void>
  readonly onStop: () => void
}

export function createSecond({ device, onStart, onStop }: Parts): SecondDevice {
  const place = h('strong', { class: 'place' }, '–')
  const fillPart = h('i', {})
  const when = h('small', {}, 'Nothing was watched yet.')
  const button = h('button', { type: 'button', class: 'primary', disabled: true }, 'Resume here')
  const line = h('small', { class: 'means' }, 'Connecting…')
  const offer = h(
    'div',
    { class: 'offer' },
    h('h3', {}, 'Continue watching'),
    place,
    h('span', { class: 'progress', 'aria-hidden': 'true' }, fillPart),
    when,
    button,
  )
  const stop = h('button', { type: 'button', class: 'plain' }, 'Put it away')
  const playing = h('div', { class: 'second-on', hidden: true }, device.element, stop)
  let progress: Progress | undefined
  let told: () => void = () => undefined

  /** Until the engine has told of something since then; not for ever. */
  async function heardSince(sinceMs: number): Promise<void> {
    const giveUpAtMs = Date.now() + WEB_LIMITS.toldWithinMs
    while ((progress?.updatedAt ?? 0) < sinceMs && Date.now() < giveUpAtMs) {
      await new Promise<void>((resolve) => {
        told = resolve
        setTimeout(resolve, giveUpAtMs - Date.now())
      })
    }
  }

  button.addEventListener('click', () => {
    offer.hidden = true
    playing.hidden = false
    const sinceMs = Date.now()
    // The other one says first where it stopped: what it has said is what is resumed.
    onStart()
      .then(async () => heardSince(sinceMs))
      .then(device.start)
      .catch(reportError)
  })
  const putAway = () => {
    if (!device.on) return
    offer.hidden = false
    playing.hidden = true
    const sinceMs = Date.now()
    device
      .stop()
      .then(async () => heardSince(sinceMs))
      .then(onStop)
      .catch(reportError)
  }
  stop.addEventListener('click', putAway)

  function tick(nowMs: number): void {
    if (progress === undefined) return
    const { positionMs, durationMs, device: from, updatedAt, completed } = progress
    say(place, `${clock(positionMs)}${durationMs === null ? '' : ` of ${clock(durationMs)}`}`)
    fillPart.style.width = `${Math.min(100, durationMs ? (positionMs / durationMs) * 100 : 0)}%`
    say(when, `${completed ? 'finished' : `on ${from ?? 'another device'}`}, ${ago(updatedAt, nowMs)}`)
    say(button, completed ? 'Watch again here' : `Resume here at ${clock(positionMs)}`)
    button.disabled = false
  }

  const screen = h('div', { class: 'phone-screen' })
  fill(screen, offer, playing)
  return {
    element: h(
      'section',
      { class: 'card second', 'aria-labelledby': 'second-title' },
      h('div', { class: 'device-head' }, h('h2', { id: 'second-title' }, 'Second device'), line),
      h('div', { class: 'phone' }, screen),
      h(
        'p',
        { class: 'means' },
        'It knows of the first device only what the engine tells it, on the profile’s live stream.',
      ),
    ),
    hear: (heard) => {
      progress = heard
      tick(Date.now())
      told()
    },
    tick,
    connected: (says) => say(line, says),
    putAway,
  }
}
