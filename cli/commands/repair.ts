/** `playhead repair`: what a red stall needs. */
import { readBook } from '../../consumers/book.ts'
import { repair as repairStalls } from '../../consumers/repair.ts'
import { realWorld } from '../../consumers/retry.ts'
import { ownerName } from '../../stores/state.ts'
import { type Command, JSON_FLAG } from '../command.ts'
import { loadConfig } from '../config.ts'
import { openAnalytics, openCodec, openLog, openState, openVault } from '../engines.ts'
import { runningOf } from '../generations.ts'
import { keysPath, readKeyFile } from '../keys.ts'

export const repair: Command = {
  name: 'repair',
  about: `Finishes batches that were begun and can't be finished by themselves, because ClickHouse may have forgotten that it
has their rows already. Their rows are looked for, and inserted only if they are not there. Healthy partitions are
left alone, and the consumers may run meanwhile: a stalled one goes on by itself afterwards.
Exit code 0 if nothing is left to repair, 1 if something is (it says what to do).`,
  flags: [JSON_FLAG],
  run: async (args, io) => {
    const { config } = loadConfig(io.env)
    const log = await openLog(config)
    const incarnation = await log.incarnation()
    const state = await openState(config)
    const vault = await openVault(config)
    const admin = config.analytics.engine === 'embedded' ? readKeyFile(keysPath(config)).admin : ''
    const analytics = openAnalytics(config, admin)
    try {
      const outcomes = await repairStalls({
        log,
        state,
        analytics,
        codec: await openCodec(config),
        vault,
        generations: runningOf(config, await readBook(state, incarnation), incarnation),
        world: realWorld,
        prepare: ({ id, projection }) =>
          analytics.prepareGeneration(id, `${projection.name}_v${projection.foldVersion}`),
      })
      const told = outcomes.map(({ key, batch, failed }) => ({
        owner: ownerName(key),
        batch: `${batch.from}-${batch.to}`,
        ...failed,
      }))
      if (args.has('json')) io.out(`${JSON.stringify(told, undefined, 2)}\n`)
      else if (told.length === 0) io.out('Nothing is left begun: there is nothing to repair.\n')
      else
        for (const { owner, batch, message, remedy } of told) {
          io.out(message === undefined ? `✓ ${owner}: ${batch} finished\n` : `✗ ${message}\n  → ${remedy}\n`)
        }
      return told.some((t) => t.message !== undefined) ? 1 : 0
    } finally {
      await Promise.all([analytics.close(), state.close(), vault.close(), log.close()])
    }
  },
}
