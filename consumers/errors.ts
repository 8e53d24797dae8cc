/** How a partition's work can end other than by being asked to. */

/** Somebody else owns the partition now: forget everything and stop. Expected, not a fault. */
export class StaleOwner extends Error {
  constructor(what: string) {
    super(`another owner took the partition over (${what})`)
    this.name = 'StaleOwner'
  }
}

/** Told to stop at once; whatever is half done is redone by the next owner. */
export class Abandoned extends Error {
  constructor() {
    super('told to stop')
    this.name = 'Abandoned'
  }
}

export type StallCode =
  | 'TOKEN_FORGOTTEN'
  | 'TOO_MANY_PARKED'
  | 'TOO_MANY_ROWS'
  | 'REDO_DIFFERS'
  | 'LOG_GAP'
  | 'LOG_TRIMMED'
  | 'UNEXPECTED'

/** The partition can't go on by itself: red until an operator or a restart cures it. Nothing is skipped meanwhile. */
export class Stalled extends Error {
  readonly code: StallCode
  readonly remedy: string
  constructor(code: StallCode, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Stalled'
    this.code = code
    this.remedy = remedy
  }
}
