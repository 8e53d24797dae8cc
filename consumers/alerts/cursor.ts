/**
 * How far the evaluator (minutes) or a webhook (positions) has come: a commit record. Its term says who goes on from
 * here: whoever takes over raises it, and the one before is refused at its next step.
 */
import { type CommitKey, type CommitRecord, type CommitStore, ownerName } from '../../stores/state.ts'
import { StaleOwner } from '../errors.ts'
import { NO_TALLY } from '../fold.ts'

export class Cursor {
  readonly #commits: CommitStore
  readonly #key: CommitKey
  #record: CommitRecord

  private constructor(commits: CommitStore, key: CommitKey, record: CommitRecord) {
    this.#commits = commits
    this.#key = key
    this.#record = record
  }

  /** `first`: where to begin if nobody ever did. */
  static async takeOver(commits: CommitStore, key: CommitKey, first: () => Promise<bigint>): Promise<Cursor> {
    for (;;) {
      const found = await commits.read(key)
      const start = found ?? { term: 0n, revision: 0n, checkpoint: await first(), tally: NO_TALLY, audit: 0n }
      const next = { ...start, term: start.term + 1n, revision: start.revision + 1n }
      const swap = await commits.swap(key, found, next)
      if (swap.swapped) return new Cursor(commits, key, next)
    }
  }

  get at(): bigint {
    return this.#record.checkpoint
  }

  async move(to: bigint): Promise<void> {
    const next = { ...this.#record, revision: this.#record.revision + 1n, checkpoint: to }
    const swap = await this.#commits.swap(this.#key, this.#record, next)
    if (!swap.swapped) throw new StaleOwner(ownerName(this.#key))
    this.#record = next
  }
}
