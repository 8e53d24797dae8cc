/** A row of progress that is not what the log says, in an engine's folder, also while everything runs. */
import { join } from 'node:path'
import { generationOf, stateTableOf } from '../../consumers/generation.ts'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { progressV1 } from '../../projections/progress/v1.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'

export async function spoil(data: string): Promise<void> {
  const log = await openEmbeddedLog({ dir: join(data, 'log') })
  const state = await openEmbeddedState({ dir: join(data, 'state'), clock: Date.now })
  const table = await state.table(stateTableOf(generationOf(progressV1(), await log.incarnation()))!)
  const names = table.spec.columns.map(({ name }) => name)
  const [row] = await table.get([['ann', 't1']])
  const columns = row!.columns.map((value, i) => (names[i] === 'permyriad' ? 9_999 : value))
  await table.upsert([{ ...row!, version: row!.version + 1n, columns }])
  await state.close()
  await log.close()
}
