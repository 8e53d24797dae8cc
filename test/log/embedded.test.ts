/** The embedded engine: the contract. What only this engine does is in the files beside this one. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { logContract } from './contract.ts'

logContract('LMDB', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-log-'))
  return {
    open: () => openEmbeddedLog({ dir }),
    close: () => rm(dir, { recursive: true, force: true }),
  }
})
