/**
 * What the log says of incidents, as the projection `incidents` has folded it. It is asked only once the projection has
 * passed the log's end: an incident that somebody opened a moment ago must not be opened again.
 */
import type { EventLog } from '../../log/log.ts'
import type { IncidentRow } from '../../projections/incidents/row.ts'
import { incidentRow } from '../../projections/incidents/v1.ts'
import type { CommitStore, StateTable } from '../../stores/state.ts'

export interface BookPorts {
  readonly log: EventLog
  readonly commits: CommitStore
  /** The states of the projection `incidents` that are read now, and the id of their generation. */
  incidents(): { readonly table: StateTable; readonly generation: string }
}

/** By subject. */
export interface Book {
  /** The incident that opened last; at most one is open. */
  readonly last: ReadonlyMap<string, IncidentRow>
}

const TOPIC = 'engine-events'

export class IncidentBook {
  readonly #ports: BookPorts
  #read: { readonly through: string; readonly book: Book } | undefined

  constructor(ports: BookPorts) {
    this.#ports = ports
  }

  async read(): Promise<Book | 'behind'> {
    const { log, commits } = this.#ports
    const { table, generation } = this.#ports.incidents()
    const through: bigint[] = []
    for (const { topic, partition, start, end } of await log.bounds(TOPIC)) {
      const next = (await commits.read({ generation, topic, partition }))?.checkpoint ?? start
      if (next < end) return 'behind'
      through.push(next)
    }
    const name = `${generation} ${through.join()}`
    if (this.#read?.through !== name) this.#read = { through: name, book: await scan(table) }
    return this.#read.book
  }
}

async function scan(incidents: StateTable): Promise<Book> {
  const last = new Map<string, IncidentRow>()
  for await (const { columns, key, version } of incidents.scan()) {
    const row = incidentRow(columns, key, version)
    if (row === undefined) continue
    const known = last.get(row.subject)
    if (known === undefined || isLater(row, known)) last.set(row.subject, row)
  }
  return { last }
}

function isLater(a: IncidentRow, b: IncidentRow): boolean {
  // An open one first: it is the one that has to be resolved.
  if ((a.resolved === null) !== (b.resolved === null)) return a.resolved === null
  return a.openedMs !== b.openedMs ? a.openedMs > b.openedMs : a.incidentId > b.incidentId
}
