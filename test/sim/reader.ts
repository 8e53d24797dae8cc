/**
 * One process that serves readers: it reads progress through the pointer. Whoever wrote something and waits for it there
 * must find it, whatever generation is read meanwhile. It may die; its readers go with it.
 */

import { openPointers, type Pointers } from '../../cli/pointers.ts'
import { mayPass } from '../../consumers/retry.ts'
import type { LogRecord, Placed } from '../../log/log.ts'
import { eventIdOf } from '../../schemas/index.ts'
import type { Wish } from './audience.ts'
import { type Engine, INCARNATION, portsOf, SETTINGS } from './engine.ts'
import { type Faults, SimProcess } from './process.ts'

const LOOK_EVERY_MS = 500
const LOOKS_MAX = 60
const TOPIC = 'playback-events'
/** What a process read last is read again when it goes over: what was read once is not unread afterwards. */
const SEEN_MAX = 20

interface Seen {
  readonly wish: Wish
  readonly place: Placed
}

export class Reader {
  readonly #engine: Engine
  readonly #faults: () => Faults
  #starts = 0
  process: SimProcess | undefined
  #pointers: Pointers | undefined
  #seen: Seen[] = []

  constructor(engine: Engine, faults: () => Faults) {
    this.#engine = engine
    this.#faults = faults
  }

  start(): void {
    if (this.process?.alive) return
    const { world, planted } = this.#engine
    const process = new SimProcess(`api.${this.#starts++}`, world, this.#faults)
    this.process = process
    SimProcess.running = process
    this.#pointers = undefined
    const seen: Seen[] = []
    this.#seen = seen
    const { state } = portsOf(this.#engine, process)
    openPointers(SETTINGS, planted.readers?.(state, this.#engine) ?? state, INCARNATION, () => world.nowMs).then(
      (pointers) => {
        if (this.process !== process) return
        this.#pointers = pointers
        pointers.follow({
          wentOver: (projection, from, to) => {
            world.count('readers that went over to another generation')
            world.note(`${process.name}: ${projection} from ${from} to ${to}`)
            if (projection !== 'progress') return
            for (const { wish, place } of seen) this.#told(this.#read(process, pointers, wish, place))
          },
          failed: (error) => world.note(`${process.name}: the book: ${error}`),
        })
      },
      () => {
        process.crash()
        world.after(500, () => this.start())
      },
    )
  }

  crash(): void {
    this.process?.crash()
  }

  /** What `wish` wrote at `place` is looked for, as its writer would. */
  look(wish: Wish, { partition, position }: Placed): void {
    const { process } = this
    const pointers = this.#pointers
    if (wish.progressOf === undefined || process?.alive !== true || pointers === undefined) return
    this.#told(this.#look(process, pointers, wish, { partition, position }))
  }

  #told(reading: Promise<void>): void {
    reading.catch((error: unknown) => {
      if (!mayPass(error)) this.#engine.misread.push(`a reader failed: ${error}`)
    })
  }

  async #look(process: SimProcess, pointers: Pointers, wish: Wish, place: Placed): Promise<void> {
    const { partition, position } = place
    const seen = this.#seen
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      await process.sleep(LOOK_EVERY_MS)
      const next = await pointers.next('progress', { topic: TOPIC, partition })
      if (next === undefined || next <= position) continue
      await this.#read(process, pointers, wish, place)
      seen.push({ wish, place })
      if (seen.length > SEEN_MAX) seen.shift()
      return
    }
    this.#engine.world.count('reads given up')
  }

  async #read(process: SimProcess, pointers: Pointers, wish: Wish, { partition, position }: Placed): Promise<void> {
    const { profileId, titleId } = wish.progressOf!
    const { table, generation } = pointers.read('progress')
    const [row] = await table!.get([[profileId, titleId]])
    const { world, misread } = this.#engine
    world.count('writes read back through the pointer')
    const first = this.#firstOf(partition, wish)
    if (first === undefined) misread.push(`what was acknowledged at ${partition}@${position} is not in the log`)
    else if (row !== undefined ? row.version < first : !this.#erasedAfter(partition, first, profileId)) {
      const found = row === undefined ? 'nothing' : `what it was at ${row.version}`
      misread.push(
        `${process.name} waited for ${profileId}/${titleId} at ${partition}@${position} and read ${found} in ${generation.id}`,
      )
    }
  }

  /** Where the log has this event first: what comes after are copies. */
  #firstOf(partition: number, { record }: Wish): bigint | undefined {
    const id = eventIdOf(Buffer.from(record.value))
    return this.#records(partition).find(({ value }) => eventIdOf(value) === id)?.position
  }

  #erasedAfter(partition: number, position: bigint, profileId: string): boolean {
    const { codec } = this.#engine
    return this.#records(partition).some((record) => {
      if (record.position < position || codec.typeOf(record.value) !== 'ProfileErased') return false
      return record.key === profileId
    })
  }

  #records(partition: number): readonly LogRecord[] {
    return this.#engine.log.tails(TOPIC)[partition]!.records
  }
}
