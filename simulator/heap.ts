/** What comes next, of many that each know when they come. Ties go by the order in which they were put in. */
export class Heap<T extends { readonly dueMs: number; readonly order: number }> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  get items(): readonly T[] {
    return this.#items
  }

  first(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(item, items[parent]!)) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (last !== undefined && items.length > 0) {
      items[0] = last
      this.settleFirst()
    }
    return first
  }

  /** After the first one's time was moved to a later one. */
  settleFirst(): void {
    const items = this.#items
    const item = items[0]
    if (item === undefined) return
    const { length } = items
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= length) break
      if (child + 1 < length && before(items[child + 1]!, items[child]!)) child++
      if (!before(items[child]!, item)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = item
  }
}

interface Due {
  readonly dueMs: number
  readonly order: number
}

function before(a: Due, b: Due): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}
