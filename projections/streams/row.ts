/** An account's stream slots, as projections/streams decides them. */
export interface StreamsRow {
  readonly accountId: string
  /** Slots that hold at `clockMs`; one whose `untilMs` has passed when it is read is free. Oldest first. */
  readonly slots: readonly Slot[]
  /** The last verdicts, newest last: what the API answers to a request. */
  readonly verdicts: readonly Verdict[]
  /** The log's clock as of the account's last event. */
  readonly clockMs: number
  readonly version: bigint
}

export interface Slot {
  readonly slotId: string
  readonly profileId: string
  readonly sessionId: string | null
  readonly titleId: string | null
  readonly device: string | null
  readonly sinceMs: number
  readonly untilMs: number
}

export interface Verdict {
  readonly slotId: string
  readonly granted: boolean
  /** What held the account's streams when it was refused. */
  readonly holding: readonly Slot[]
}
