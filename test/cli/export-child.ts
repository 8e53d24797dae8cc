/** An export as a process that hangs in the midst of its second file, to be killed there. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { exported, GENERATION, madeUp } from './export-support.ts'

const [dir = ''] = process.argv.slice(2)
const source = madeUp()
const draft = join(dir, GENERATION, '_draft')
await exported({
  dir,
  source: {
    ...source,
    dump: async (range, format, signal) => {
      if (range.from !== '2025-01-02') return await source.dump(range, format, signal)
      return Readable.from(
        (async function* () {
          yield '{"view_id":'
          while (!existsSync(draft)) await sleep(1)
          process.send?.('in the midst')
          // Nobody waits so long: it is killed here.
          await sleep(60_000)
        })(),
      )
    },
  },
})
