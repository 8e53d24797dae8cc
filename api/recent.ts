/**
 * Keeps what was used lately, bounded, at the cost of one look-up. Two maps: what is used goes into the young one; when
 * that is half of all there may be, it becomes the old one, and the former old one is forgotten as a whole. (A map in the
 * order of use, where each use deletes and inserts, gets slow in V8: the holes of a much used key pile up in its chain,
 * 70 µs were seen among 50,000.)
 */
export class Recent<T> {
  private young = new Map<string, T>()
  private old: ReadonlyMap<string, T> = new Map()
  private youngChars = 0
  private readonly entriesMax: number
  private readonly charsMax: number

  /** `charsMax`: of all keys together. */
  constructor(entriesMax: number, charsMax: number = Number.POSITIVE_INFINITY) {
    this.entriesMax = entriesMax
    this.charsMax = charsMax
  }

  /** An upper bound: what was used anew counts twice. */
  get size(): number {
    return this.young.size + this.old.size
  }

  get(key: string): T | undefined {
    const value = this.young.get(key)
    if (value !== undefined) return value
    const older = this.old.get(key)
    if (older !== undefined) this.put(key, older)
    return older
  }

  put(key: string, value: T): void {
    if (!this.young.has(key)) {
      const chars = this.youngChars + key.length
      if (this.young.size >= Math.floor(this.entriesMax / 2) || chars > this.charsMax / 2) this.turn()
      this.youngChars += key.length
    }
    this.young.set(key, value)
  }

  /** What is used neither before the next turn nor after it until the one that follows is forgotten then. */
  turn(): void {
    this.old = this.young
    this.young = new Map()
    this.youngChars = 0
  }

  clear(): void {
    this.turn()
    this.turn()
  }
}
