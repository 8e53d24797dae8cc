/** `playhead profile export ID` and `playhead profile erase ID`: what the API's routes do, from the machine itself. */
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { positionsOf } from '../../api/position.ts'
import { beginErasure, erasureState } from '../../api/profiles/erasure.ts'
import { beginExport, exportDocument } from '../../api/profiles/export.ts'
import { mintEventId } from '../../producers/ids.ts'
import { createOpener } from '../../producers/personal.ts'
import { type Args, UsageError } from '../args.ts'
import type { Command, Io } from '../command.ts'
import { loadConfig } from '../config.ts'
import { openCodec, openLog, openState, openVault } from '../engines.ts'
import { untilInterrupted } from '../interrupt.ts'
import { DEFAULT_APP, DEFAULT_ENVIRONMENT } from '../key-file.ts'
import { CLI_LIMITS } from '../limits.ts'
import { openTogether } from '../opened.ts'
import { openPointers } from '../pointers.ts'
import { openReaders } from '../readers.ts'

const ID_CHARS_MAX = 128
const REASON_CHARS_MAX = 256

export const exporting: Command = {
  name: 'profile export',
  about: `One JSON document: progress rows, stream slots, and every event of the profile in the log, with what was sealed
opened. The profile's partition of the log is read from its start, so a long log takes a while.`,
  positionals: [{ name: 'ID' }],
  flags: [
    { name: 'account', value: 'ACCOUNT', help: 'The account whose stream slots to look through.' },
    { name: 'out', value: 'FILE', help: 'Write here, readable by its owner alone; without it, to standard output.' },
  ],
  examples: ['playhead profile export ann --out ann.json'],
  run: async (args, io) =>
    await withEngines(io, async ({ log, codec, vault, readers }) => {
      const whose = { profileId: idOf(args, 'profile export'), accountId: args.value('account') }
      const ports = { log, codec, opener: createOpener(vault), ...readers, nowMs: Date.now }
      const start = await beginExport(ports, whose)
      const unbounded = { scanMs: Number.POSITIVE_INFINITY, bytesMax: Number.POSITIVE_INFINITY }
      await write(exportDocument(ports, whose, start, unbounded), args.value('out'), io)
      return 0
    }),
}

export const erase: Command = {
  name: 'profile erase',
  about: `Retires the key that the profile's personal fields are sealed with, and writes the erasure to the log. The
consumers drop the profile's rows from every table, and then destroy the key: there is no way back.`,
  positionals: [{ name: 'ID' }],
  flags: [
    { name: 'yes', help: 'Do it. Without this, nothing is done.' },
    { name: 'reason', value: 'TEXT', help: 'Kept in the log.' },
    { name: 'wait', help: 'Until the key is destroyed; the consumers must be running.' },
    { name: 'json', help: 'Print the outcome as JSON.' },
  ],
  examples: ['playhead profile erase ann --yes --wait'],
  run: async (args, io) => {
    const profileId = idOf(args, 'profile erase')
    const reason = args.value('reason') ?? null
    if (reason !== null && reason.length > REASON_CHARS_MAX) {
      throw new UsageError(`--reason: at most ${REASON_CHARS_MAX} characters.`, 'profile erase')
    }
    if (!args.has('yes')) {
      throw new UsageError(`This forgets "${profileId}" for good. Say --yes to do it.`, 'profile erase')
    }
    return await withEngines(io, (engines) => eraseProfile(engines, profileId, reason, args, io))
  },
}

async function eraseProfile(engines: Engines, profileId: string, reason: string | null, args: Args, io: Io) {
  const { log, codec, vault, readers } = engines
  const mint = () => mintEventId(Date.now(), (bytes) => globalThis.crypto.getRandomValues(bytes))
  const arrival = {
    source: 'engine',
    appId: DEFAULT_APP,
    environment: DEFAULT_ENVIRONMENT,
    receivedAtMs: Date.now(),
  } as const
  const erasure = { profileId, reason, by: 'playhead profile erase' }
  const { place, eventId } = await beginErasure({ log, codec, mint, vault, sleep }, arrival, erasure)
  const positions = positionsOf(readers.checkpoints)
  const position = positions.header([place])
  const signal = untilInterrupted()
  const ask = () => erasureState({ log, vault, positions }, profileId, position)
  let state = await ask()
  while (args.has('wait') && state.state === 'pending' && !signal.aborted) {
    // Each question waits for the tables by itself; what is left to wait for is the consumers' next round.
    await sleep(CLI_LIMITS.readyPollMs)
    state = await ask()
  }
  if (args.has('json')) io.out(`${JSON.stringify({ ...state, eventId, position })}\n`)
  else if (state.state === 'done') io.out(`${profileId} is forgotten.\n`)
  else {
    io.out(
      `The erasure is in the log at ${position}. The tables ${state.progressPassed ? 'have' : 'have not yet'} dropped `,
    )
    io.out(`the profile; ${state.keysToDestroy} key(s) are still to be destroyed by the consumers.\n`)
  }
  return args.has('wait') && state.state === 'pending' ? 1 : 0
}

type Engines = Awaited<ReturnType<typeof openEngines>>

async function openEngines(io: Io) {
  const { config } = loadConfig(io.env)
  return await openTogether(async (opened) => {
    const codec = await openCodec(config)
    const log = opened.keep(await openLog(config))
    const state = opened.keep(await openState(config))
    const vault = opened.keep(await openVault(config))
    const readers = openReaders(await openPointers(config, state, await log.incarnation()))
    return { log, codec, vault, readers }
  })
}

async function withEngines(io: Io, use: (engines: Engines) => Promise<number>): Promise<number> {
  const engines = await openEngines(io)
  try {
    return await use(engines)
  } finally {
    await engines.close()
  }
}

async function write(pieces: AsyncIterable<string>, out: string | undefined, io: Io): Promise<void> {
  if (out === undefined) for await (const piece of pieces) io.out(piece)
  else await pipeline(Readable.from(pieces), createWriteStream(out, { mode: 0o600 }))
}

function idOf(args: Args, command: string): string {
  const id = args.positional('ID') ?? ''
  if (id.length > 0 && id.length <= ID_CHARS_MAX) return id
  throw new UsageError(`ID: 1 to ${ID_CHARS_MAX} characters.`, command)
}
