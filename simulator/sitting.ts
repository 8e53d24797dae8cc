/**
 * Somebody sits down and watches one thing, or several: the next episode, the same again after a failure, something else.
 * Holds what is said next until it is due, so an audience is a heap of sittings and nothing more.
 */
import { mintEventId } from '../producers/ids.ts'
import type { NewEvent } from '../schemas/index.ts'
import type { Catalogue, Title } from './catalogue.ts'
import { Delivery, downloadHold, gapHold } from './delivery.ts'
import { Path } from './network.ts'
import type { Effect, Settled } from './options.ts'
import { CDNS, contextOf, type Network, networkOf, type Viewer } from './people.ts'
import type { Source } from './playback.ts'
import type { Random } from './random.ts'
import { Tally } from './tally.ts'
import { View } from './view.ts'

export interface Scene {
  readonly settled: Settled
  readonly catalogue: Catalogue
}

const NO_EFFECT: Effect = {}
/** A download plays from the device itself. */
const DEVICE: Source = {
  kbps: 1_000_000,
  changesAtMs: Number.POSITIVE_INFINITY,
  change: () => undefined,
  roundTripMs: () => 2,
  failuresAt: () => 0,
}

export class Sitting {
  readonly viewer: Viewer
  readonly order: number
  dueMs = 0
  /** What is due; undefined: only that a view is over. */
  said: NewEvent | undefined
  #view: View
  #delivery: Delivery
  #views = 0
  readonly #size: number
  readonly #scene: Scene
  readonly #random: Random
  readonly #network: Network
  #title: Title
  #sessionId = ''

  constructor(startMs: number, order: number, size: number, viewer: Viewer, scene: Scene, random: Random) {
    this.viewer = viewer
    this.order = order
    this.#size = size
    this.#scene = scene
    this.#random = random
    this.#network = networkOf(viewer, random)
    this.#title = scene.catalogue.pick(random)
    const begun = this.#begin(startMs, undefined)
    this.#view = begun.view
    this.#delivery = begun.delivery
    this.#step()
  }

  get tally(): Tally {
    return this.#view.tally
  }

  get viewIsOver(): boolean {
    return this.#view.state === 'over'
  }

  /** After what was due was taken. False: this sitting is over. */
  goOn(): boolean {
    if (this.viewIsOver) {
      if (this.#views === this.#size) return false
      this.#nextView()
    }
    this.#step()
    return true
  }

  #step(): void {
    this.said = this.#view.next()
    this.dueMs = Math.max(this.said === undefined ? this.#view.nowMs : this.#delivery.receivedAtMs, this.dueMs)
  }

  #nextView(): void {
    const { ending } = this.#view.tally
    const startMs = this.#view.nowMs + Math.round(this.#random.between(1_500, 20_000))
    const next = ending === 'failed' ? undefined : this.#title.next
    if (next !== undefined) this.#title = next
    // After a failure the same is tried again.
    else if (ending !== 'failed') this.#title = this.#scene.catalogue.pick(this.#random)
    const { view, delivery } = this.#begin(startMs, next === undefined ? undefined : this.#view)
    this.#view = view
    this.#delivery = delivery
  }

  /** `before`: the episode before this one, in the same session. */
  #begin(startMs: number, before: View | undefined): { readonly view: View; readonly delivery: Delivery } {
    const [random, viewer, title] = [this.#random, this.viewer, this.#title]
    const { mishaps, faults } = this.#scene.settled
    const phone = viewer.device.deviceType === 'phone'
    const offline = phone && title.kind !== 'clip' && random.chance(mishaps.downloads)
    const gap = phone && !offline && random.chance(mishaps.gaps)
    const cdn = random.pick(CDNS)
    const hold = offline ? downloadHold(startMs, title.durationMs, random) : gap ? gapHold(startMs, random) : undefined
    if (before === undefined) this.#sessionId = mintEventId(startMs, random.fill)
    this.#views++
    const effect = viewer.group?.effect ?? NO_EFFECT
    const badMs = this.#network.badMs * (effect.stalls ?? 1)
    const mine = faults.filter((fault) => fault.cdn === cdn)
    const source = offline ? DEVICE : new Path({ ...this.#network, badMs }, viewer.place.speed, mine, random)
    const context = contextOf(viewer, this.#network, cdn, offline)
    const delivery = new Delivery(viewer, this.#scene.settled, hold, this.dueMs, random)
    const { profileId } = viewer
    const whose = {
      viewer: viewer.index,
      profileId,
      sessionId: this.#sessionId,
      titleId: title.titleId,
      startedAtMs: startMs,
    }
    const view = new View(startMs, {
      title,
      context,
      screenHeight: viewer.device.height,
      setupMs: viewer.device.setupMs,
      source,
      effect,
      last: this.#views === this.#size,
      trigger: before === undefined ? undefined : 'next',
      endIsLost: random.chance(mishaps.lostEnds),
      delivery,
      tally: new Tally(whose, {
        cdn: context.cdn ?? '',
        country: viewer.place.country,
        device_type: viewer.device.deviceType,
        network_type: this.#network.type,
        app_version: context.appVersion ?? '',
        title_id: title.titleId,
      }),
      random,
      sequence: before?.sequence ?? 0,
    })
    return { view, delivery }
  }
}
