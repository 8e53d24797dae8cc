/** What can be wrong with a snapshot, or with the wish for one; each says what to do. */
export class SnapshotError extends Error {
  /** DAMAGED: its bytes are not those that were written. UNFIT: it is whole, and not for this engine. */
  readonly code: 'SNAPSHOT_DAMAGED' | 'SNAPSHOT_UNFIT' | 'SNAPSHOT_MOVING' | 'SNAPSHOT_PLACE'
  constructor(code: SnapshotError['code'], message: string) {
    super(message)
    this.name = 'SnapshotError'
    this.code = code
  }
}
