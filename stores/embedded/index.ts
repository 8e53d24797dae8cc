/** The state store of one machine: tables and commit records in one LMDB environment that all roles open. */
import { mkdir } from 'node:fs/promises'
import { checkSpec, checkTableName } from '../spec.ts'
import type { StateStore } from '../state.ts'
import { createTable, dropTable, finishDrops } from './catalogue.ts'
import { embeddedCommits } from './commits.ts'
import { openEnvironment } from './environment.ts'
import { embeddedTable } from './table.ts'

export interface EmbeddedStateOptions {
  readonly dir: string
  /** Milliseconds since 1970; decides which rows are expired. */
  readonly clock: () => number
}

export async function openEmbeddedState({ dir, clock }: EmbeddedStateOptions): Promise<StateStore> {
  await mkdir(dir, { recursive: true })
  const env = openEnvironment(dir)
  await finishDrops(env)
  return {
    engine: 'embedded',
    commits: embeddedCommits(env),
    async table(spec) {
      checkSpec(spec)
      return embeddedTable(env, spec, await createTable(env, spec), clock)
    },
    async drop(name) {
      checkTableName(name)
      await dropTable(env, name)
    },
    async ping() {
      env.latest()
    },
    close: () => env.close(),
  }
}
