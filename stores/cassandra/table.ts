/**
 * A versioned table in Cassandra.
 *
 * A row is one cell, `row_body`: its canonical bytes, from which alone it is read. The typed columns beside it show it
 * to people. Cassandra decides cell by cell: the larger write time, which is the version, wins; of equal ones a cell
 * that expires, then the one that expires later, then the larger bytes. That is the order of canonical bytes, so of
 * two writes of one version (which only a broken fold makes) one wins as a whole, though the typed columns may then
 * mix. What this can't tell apart: expiries of such a pair that are less than two seconds apart, or after 2037.
 *
 * A row's time to live is what is left of it by our clock, at least a second, so that a row that has expired already
 * still takes the place of an older one; readers don't wait for it but look at the expiry itself.
 */
import type { StateTable, TableSpec } from '../state.ts'
import { tableReads } from './reads.ts'
import type { Session } from './session.ts'
import { tableWrites } from './writes.ts'

export function cassandraTable(session: Session, spec: TableSpec, clock: () => number): StateTable {
  return { spec, ...tableReads(session, spec, clock), ...tableWrites(session, spec, clock) }
}
