/**
 * Which slot a view has. Looked up by session id alone, which costs no new text; views that share one (a session of
 * several titles, or an application that calls all its sessions the same) are a short chain, told apart by profile and
 * title. A chain that is full sends further views to one of their whole name, so that no chain ever gets long.
 */
export interface ViewName {
  readonly profileId: string
  readonly sessionId: string
  readonly titleId: string
}

export const NO_SLOT = -1
const CHAIN_MAX = 8

export class ViewIndex {
  readonly #heads = new Map<string, number>()
  readonly #next: Int32Array
  readonly #keys: string[] = []
  readonly #profiles: string[] = []
  readonly #titles: string[] = []
  readonly #free: number[] = []
  /** Slots that are in the chain of their whole name; none as a rule, and then nobody looks there. */
  readonly #isOverflown: Uint8Array
  #overflown = 0
  #size = 0

  constructor(viewsMax: number) {
    this.#next = new Int32Array(viewsMax)
    this.#isOverflown = new Uint8Array(viewsMax)
  }

  get size(): number {
    return this.#size
  }

  /** Slots are below this, in use or not. */
  get slots(): number {
    return this.#keys.length
  }

  find(view: ViewName): number {
    const slot = this.#inChain(view.sessionId, view)
    return slot >= 0 || this.#overflown === 0 ? slot : this.#inChain(wholeName(view), view)
  }

  /** The view has none yet, and there is room. */
  add(view: ViewName, titleId: string): number {
    const slot = this.#free.pop() ?? this.#keys.length
    const full = this.#lengthOf(view.sessionId) >= CHAIN_MAX
    const key = full ? wholeName(view) : view.sessionId
    this.#isOverflown[slot] = full ? 1 : 0
    if (full) this.#overflown += 1
    this.#next[slot] = this.#heads.get(key) ?? NO_SLOT
    this.#heads.set(key, slot)
    this.#keys[slot] = key
    this.#profiles[slot] = view.profileId
    this.#titles[slot] = titleId
    this.#size += 1
    return slot
  }

  remove(slot: number): void {
    const key = this.#keys[slot] as string
    const next = this.#next[slot] as number
    const head = this.#heads.get(key) as number
    if (head !== slot) {
      let before = head
      while (this.#next[before] !== slot) before = this.#next[before] as number
      this.#next[before] = next
    } else if (next === NO_SLOT) this.#heads.delete(key)
    else this.#heads.set(key, next)
    this.#overflown -= this.#isOverflown[slot] as number
    this.#keys[slot] = ''
    this.#profiles[slot] = ''
    this.#titles[slot] = ''
    this.#free.push(slot)
    this.#size -= 1
  }

  #inChain(key: string, { profileId, titleId }: ViewName): number {
    let slot = this.#heads.get(key) ?? NO_SLOT
    while (slot !== NO_SLOT && (this.#profiles[slot] !== profileId || this.#titles[slot] !== titleId)) {
      slot = this.#next[slot] as number
    }
    return slot
  }

  #lengthOf(key: string): number {
    let length = 0
    for (let slot = this.#heads.get(key) ?? NO_SLOT; slot !== NO_SLOT; slot = this.#next[slot] as number) length += 1
    return length
  }
}

function wholeName({ profileId, sessionId, titleId }: ViewName): string {
  return `${sessionId}\0${profileId}\0${titleId}`
}
