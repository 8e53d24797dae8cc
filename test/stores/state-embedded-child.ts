/** Another process on an embedded state store: `node state-embedded-child.ts <what> <dir>`; it talks in lines. */
import { execFileSync } from 'node:child_process'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import type { CommitRecord, StateStore } from '../../stores/state.ts'
import { person } from './state-contract.ts'

export const counterKey = { generation: 'g', topic: 't', partition: 0 }
export const rowsPerBatch = 200
/** Raises a limit on file sizes, which stands for a full disk. */
export const limitTool = 'prlimit'

/** Reads and swaps until it has raised the checkpoint `times` times. */
export async function count(store: StateStore, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const last = await store.commits.read(counterKey)
    const tally = { read: 0n, folded: 0n, duplicates: 0n, parked: 0n, undecryptable: 0n }
    const checkpoint = (last?.checkpoint ?? 0n) + 1n
    const next: CommitRecord = { term: 1n, revision: (last?.revision ?? 0n) + 1n, checkpoint, tally, audit: 0n }
    if ((await store.commits.swap(counterKey, last, next)).swapped) done++
  }
}

/** Writes version after version of the same rows and says each that is durable, until it is killed. */
async function write(store: StateStore): Promise<never> {
  const table = await store.table({ ...person, name: 'killed' })
  for (let version = 1n; ; version++) {
    const note = `${version}`.repeat(20)
    await table.upsert(
      Array.from({ length: rowsPerBatch }, (_, i) => ({ key: ['p', `t${i}`], version, columns: [version, note] })),
    )
    console.log(`${version}`)
  }
}

/** Fills the disk as far as it may (the caller set a limit on file sizes), lifts the limit, and goes on. */
async function fill(store: StateStore): Promise<void> {
  const table = await store.table({ ...person, name: 'full' })
  const row = (version: bigint) => ({ key: ['p', `t${version}`], version, columns: [version, 'x'.repeat(900_000)] })
  let version = 1n
  const refused = async () => {
    for (; version < 100n; version++) await table.upsert([row(version)])
    throw new Error('nothing was refused')
  }
  await refused().catch((error: Error & { code?: string }) => console.log(`refused ${error.code}`))
  console.log(`there ${(await table.get([row(version).key]))[0] !== undefined}`)
  execFileSync(limitTool, ['--pid', `${process.pid}`, '--fsize=unlimited:unlimited'])
  await table.upsert([row(version)])
  const whole = await table.list({ partition: ['p'], limit: 100 })
  console.log(
    `whole ${whole.length === Number(version) && whole.every(({ columns }) => columns[1] === row(1n).columns[1])}`,
  )
  await store.close()
}

const [what, dir] = process.argv.slice(2)
if (dir !== undefined && process.argv[1]?.endsWith('state-embedded-child.ts')) {
  const store = await openEmbeddedState({ dir, clock: Date.now })
  if (what === 'count') await count(store, 100).then(() => store.close())
  if (what === 'write') await write(store)
  if (what === 'fill') await fill(store)
}
