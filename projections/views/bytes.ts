/**
 * Observations as bytes, each as its difference from the one before: a regular heartbeat takes 3 to 5. Appending never
 * changes what is there, so older states may go on reading their part of the same buffer.
 *
 * One record: FLAG byte, time (difference of differences), then what the flags announce. Numbers are zigzag varints.
 */
import { NO_RATE, type Observation, SAID } from './observation.ts'

const FLAG = { kind: 1, seq: 2, played: 4, playedOn: 8, pos: 16, skew: 32, more: 64 } as const
const MORE = {
  target: 1 << 0,
  rate: 1 << 1,
  video: 1 << 2,
  audio: 1 << 3,
  width: 1 << 4,
  height: 1 << 5,
  playerWidth: 1 << 6,
  playerHeight: 1 << 7,
  stalledSoFar: 1 << 8,
  live: 1 << 9,
  claimMs: 1 << 10,
  text: 1 << 11,
  cdn: 1 << 12,
  bits: 1 << 13,
  odd: 1 << 14,
} as const
const NUMBERS = [
  'rate',
  'video',
  'audio',
  'width',
  'height',
  'playerWidth',
  'playerHeight',
  'stalledSoFar',
  'live',
] as const

const FIRST: Observation = {
  at: 0,
  seq: -1,
  target: '',
  skewS: 0,
  kind: 0,
  said: 0,
  pos: -1,
  rate: NO_RATE,
  video: -1,
  audio: -1,
  width: -1,
  height: -1,
  playerWidth: -1,
  playerHeight: -1,
  stalledSoFar: -1,
  live: -1,
  claimMs: -1,
  text: '',
  cdn: '',
  bits: 0,
  odd: 0,
  played: [],
}

/** Where the position would be by now. */
function expected(last: Observation, at: number): number {
  if (last.pos < 0 || last.said !== SAID.playing) return last.pos
  const rate = last.rate === NO_RATE ? 1_000 : last.rate
  return last.pos + Math.round(((at - last.at) * rate) / 1_000)
}

const text = new TextEncoder()
const toText = new TextDecoder()
const NO_BYTES = new Uint8Array(0)

export class ObservationBytes {
  #bytes: Uint8Array = NO_BYTES
  #length = 0
  /** What the next is told by: a copy, for an observation that is kept costs more than one that is not. */
  readonly #last: Writable<Observation> = { ...FIRST }
  #gap = 0
  count = 0

  get length(): number {
    return this.#length
  }

  /** Surely after all that are here. */
  isNext(o: Observation): boolean {
    const { at, seq } = this.#last
    return o.at > at || (o.at === at && o.seq > seq)
  }

  /** A view of the same buffer, which is only ever appended to. */
  read(length = this.#length): Uint8Array {
    return this.#bytes.subarray(0, length)
  }

  /** Of bytes that were made here: to go on after them. `observations` is what they decode to. */
  static of(bytes: Uint8Array, observations: readonly Observation[]): ObservationBytes {
    const made = new ObservationBytes()
    made.#bytes = bytes
    made.#length = bytes.length
    made.count = observations.length
    const last = observations[observations.length - 1]
    if (last === undefined) return made
    made.#gap = last.at - (observations[observations.length - 2]?.at ?? 0)
    Object.assign(made.#last, last)
    return made
  }

  append(o: Observation): void {
    const last = this.#last
    this.#room(128 + 20 * o.played.length + 3 * (o.text.length + o.cdn.length + o.target.length))
    const flagsAt = this.#length++
    const gap = o.at - last.at
    this.#number(gap - this.#gap)
    let flags = 0
    if (o.kind !== last.kind || o.said !== last.said) {
      flags |= FLAG.kind
      this.#bytes[this.#length++] = (o.kind << 3) | o.said
    }
    const next = last.seq < 0 ? -1 : last.seq + 1
    if (o.seq !== next) {
      flags |= FLAG.seq
      this.#number(o.seq - next)
    }
    const place = expected(last, o.at)
    if (o.pos !== place) {
      flags |= FLAG.pos
      this.#number(o.pos - place)
    }
    if (o.skewS !== last.skewS) {
      flags |= FLAG.skew
      this.#number(o.skewS - last.skewS)
    }
    const { played } = o
    if (played.length === 2 && played[0] === last.pos && played[1] === o.pos) flags |= FLAG.playedOn
    else if (played.length > 0) {
      flags |= FLAG.played
      this.#played(played)
    }
    const more = moreOf(o, last)
    if (more !== 0) {
      flags |= FLAG.more
      this.#more(o, last, more)
    }
    this.#bytes[flagsAt] = flags
    last.at = o.at
    last.seq = o.seq
    last.skewS = o.skewS
    last.kind = o.kind
    last.said = o.said
    last.pos = o.pos
    if (more !== 0) remember(last, o)
    this.#gap = gap
    this.count++
  }

  #played(played: readonly number[]): void {
    this.#number(played.length)
    let before = 0
    for (const edge of played) {
      this.#number(edge - before)
      before = edge
    }
  }

  #more(o: Observation, last: Observation, more: number): void {
    this.#number(more)
    if (more & MORE.target) this.#text(o.target)
    for (const name of NUMBERS) if (more & MORE[name]) this.#number(o[name] - last[name])
    if (more & MORE.claimMs) this.#number(o.claimMs)
    if (more & MORE.text) this.#text(o.text)
    if (more & MORE.cdn) this.#text(o.cdn)
    if (more & MORE.bits) this.#number(o.bits)
    if (more & MORE.odd) this.#number(o.odd)
  }

  #text(value: string): void {
    const encoded = text.encode(value)
    this.#number(encoded.length)
    this.#bytes.set(encoded, this.#length)
    this.#length += encoded.length
  }

  #number(value: number): void {
    const bytes = this.#bytes
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest >= 0x80) {
      bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    bytes[this.#length++] = rest
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(256, Math.ceil((this.#length + bytes) * 1.5)))
    larger.set(this.read())
    this.#bytes = larger
  }
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

function remember(last: Writable<Observation>, o: Observation): void {
  last.target = o.target
  last.cdn = o.cdn
  for (const name of NUMBERS) last[name] = o[name]
}

function moreOf(o: Observation, last: Observation): number {
  let more = 0
  if (o.target !== last.target) more |= MORE.target
  if (o.rate !== last.rate) more |= MORE.rate
  if (o.video !== last.video) more |= MORE.video
  if (o.audio !== last.audio) more |= MORE.audio
  if (o.width !== last.width) more |= MORE.width
  if (o.height !== last.height) more |= MORE.height
  if (o.playerWidth !== last.playerWidth) more |= MORE.playerWidth
  if (o.playerHeight !== last.playerHeight) more |= MORE.playerHeight
  if (o.stalledSoFar !== last.stalledSoFar) more |= MORE.stalledSoFar
  if (o.live !== last.live) more |= MORE.live
  if (o.claimMs !== -1) more |= MORE.claimMs
  if (o.text !== '') more |= MORE.text
  if (o.cdn !== last.cdn) more |= MORE.cdn
  if (o.bits !== 0) more |= MORE.bits
  if (o.odd !== 0) more |= MORE.odd
  return more
}

/** Every observation of the buffer, in its order. */
export function decode(bytes: Uint8Array): Observation[] {
  let at = 0
  const number = (): number => {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined) throw new Error('observations end in the middle of one')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
      scale *= 0x80
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
  const word = (): string => {
    const length = number()
    at += length
    return toText.decode(bytes.subarray(at - length, at))
  }
  const found: Observation[] = []
  let last = FIRST
  let gap = 0
  while (at < bytes.length) {
    const flags = bytes[at++]!
    gap += number()
    const o = { ...last, at: last.at + gap, claimMs: -1, text: '', bits: 0, odd: 0, played: FIRST.played }
    if (flags & FLAG.kind) {
      const both = bytes[at++]!
      o.kind = both >> 3
      o.said = both & 7
    }
    o.seq = (last.seq < 0 ? -1 : last.seq + 1) + (flags & FLAG.seq ? number() : 0)
    o.pos = expected(last, o.at) + (flags & FLAG.pos ? number() : 0)
    if (flags & FLAG.skew) o.skewS += number()
    if (flags & FLAG.playedOn) o.played = [last.pos, o.pos]
    else if (flags & FLAG.played) o.played = played(number)
    if (flags & FLAG.more) {
      const more = number()
      if (more & MORE.target) o.target = word()
      for (const name of NUMBERS) if (more & MORE[name]) o[name] += number()
      if (more & MORE.claimMs) o.claimMs = number()
      if (more & MORE.text) o.text = word()
      if (more & MORE.cdn) o.cdn = word()
      if (more & MORE.bits) o.bits = number()
      if (more & MORE.odd) o.odd = number()
    }
    found.push(o)
    last = o
  }
  return found
}

function played(number: () => number): readonly number[] {
  const length = number()
  const edges: number[] = []
  let edge = 0
  for (let i = 0; i < length; i++) {
    edge += number()
    edges.push(edge)
  }
  return edges
}
