import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../log/embedded/index.ts'
import { openEmbeddedState } from '../../stores/embedded/index.ts'
import { NOW_MS, progressEngines } from './progress-engines.ts'

progressEngines(
  'the engines of one machine',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'playhead-progress-'))
    const log = await openEmbeddedLog({ dir: join(dir, 'log') })
    const state = await openEmbeddedState({ dir: join(dir, 'state'), clock: () => NOW_MS })
    const close = async () => {
      await Promise.all([log.close(), state.close()])
      await rm(dir, { recursive: true, force: true })
    }
    return { log, state, close }
  },
  12,
)
