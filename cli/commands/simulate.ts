/** `playhead simulate`: a synthetic audience, as history into the log or live over HTTP, and the truth of it. */
import { writeFileSync } from 'node:fs'
import type { EventCodec } from '../../schemas/index.ts'
import { type Audience, createAudience } from '../../simulator/index.ts'
import type { Args } from '../args.ts'
import type { Command, Io } from '../command.ts'
import { loadConfig } from '../config.ts'
import { foldersOf, openCodec, openLog } from '../engines.ts'
import { untilInterrupted } from '../interrupt.ts'
import { toJson } from '../json.ts'
import { keysPath, readKeyFile } from '../keys.ts'
import { liveRoles } from '../live-roles.ts'
import type { Config } from '../settings.ts'
import { askApi, settled } from '../simulate/api.ts'
import { type Comparison, compareTruth, HISTORY_TOLERANCE, LIVE_TOLERANCE } from '../simulate/compare.ts'
import { registerTitles, writeHistory } from '../simulate/history.ts'
import { type LiveCounts, sendLive } from '../simulate/live.ts'
import { type Screen, screenFor } from '../simulate/screen.ts'
import { FLAGS, NAME, orUsage, type SimulateSettings, settingsOf } from '../simulate/settings.ts'
import { comparisonText, truthText } from '../simulate/show.ts'
import { summaryOf } from '../simulate/summary.ts'

export const simulate: Command = {
  name: NAME,
  about: `An audience with habits: titles of which a few are watched by most, evenings, devices, networks that stall and
recover, seeks, pauses, people who leave, phones that tell hours later. It knows what it did, so its truth can be held
against every number of the engine. Give a run that is to be compared a log, or an --app, of its own.
Ctrl-C ends it, with its summary; what was written stays.`,
  flags: FLAGS,
  examples: [
    'playhead simulate --to-log --views 10000 --days 7 --compare',
    'playhead simulate --live --views 2000',
    'playhead simulate --to-log --views 5000 --fault cdn=fastly,at=20h,for=30m --groups a=0.5,b=0.5 --effect startup=+15%',
  ],
  run,
}

interface Done {
  readonly events: number
  readonly live: LiveCounts | undefined
  readonly interrupted: boolean
}

async function run(args: Args, io: Io): Promise<number> {
  const nowMs = Date.now()
  const settings = settingsOf(args, nowMs)
  const audience = orUsage(() => createAudience(settings.audience))
  const { config } = loadConfig(io.env)
  // Before hours of work, not after them.
  const path = args.value('summary')
  if (path !== undefined) writeFileSync(path, '')
  const keys = keysOf(args, settings, config)
  const signal = untilInterrupted()
  const { fromMs, untilMs = nowMs } = settings.audience
  const screen = screenFor({ io, nowMs: Date.now, audience, fromMs, untilMs: Math.min(untilMs, nowMs) })
  const done = await play({ args, audience, settings, config, keys, signal, screen, nowMs })
  if (path !== undefined) writeFileSync(path, `${toJson(summaryOf(settings.audience, audience.truth), 2)}\n`)
  // A second Ctrl-C while it is compared ends the process as usual.
  const comparison = args.has('compare') ? await compared(args, io, { config, keys, settings, audience }) : undefined
  tell(args, io, { audience, settings, done, comparison })
  if (comparison?.agrees === false) return 1
  return done.interrupted && !settings.live ? 130 : 0
}

interface Play {
  readonly args: Args
  readonly audience: Audience
  readonly settings: SimulateSettings
  readonly config: Config
  readonly keys: Keys
  readonly signal: AbortSignal
  readonly screen: Screen
  readonly nowMs: number
}

async function play(parts: Play): Promise<Done> {
  const { args, audience, settings, config, keys, signal, screen } = parts
  try {
    const events = settings.toLog ? await history(parts, await openCodec(config)) : 0
    if (!settings.live || signal.aborted) return { events, live: undefined, interrupted: signal.aborted }
    const live = await sendLive({
      audience,
      url: urlOf(args, config),
      key: keys.publishable,
      speed: settings.speed,
      ...(settings.speed !== 1 && { fromMs: settings.audience.fromMs }),
      ...(settings.audience.untilMs !== undefined && { untilMs: settings.audience.untilMs }),
      signal,
      nowMs: Date.now,
      onProgress: screen.live,
    })
    return { events, live, interrupted: signal.aborted }
  } finally {
    screen.end()
  }
}

async function history(
  { audience, settings, config, signal, screen, nowMs }: Play,
  codec: EventCodec,
): Promise<number> {
  const { fromMs, appId = '', environment = '' } = settings.audience
  const log = await openLog(config)
  try {
    await registerTitles({ audience, log, codec, appId, environment, atMs: fromMs })
    // What has not come yet is not in a log.
    const options = { audience, log, codec, untilMs: nowMs, signal, nowMs: Date.now, onProgress: screen.history }
    return (await writeHistory(options)).events
  } finally {
    await log.close()
  }
}

async function compared(
  args: Args,
  io: Io,
  { config, keys, settings, audience }: Pick<Play, 'config' | 'keys' | 'settings' | 'audience'>,
): Promise<Comparison> {
  const ask = askApi(urlOf(args, config), keys.data)
  io.err('Waiting until the engine has read everything.\n')
  const complete = await settled(ask, Date.now, new AbortController().signal)
  if (!complete) io.err('It has not, by far; these are its numbers so far.\n')
  const tolerance = settings.live ? LIVE_TOLERANCE : HISTORY_TOLERANCE
  const app = args.value('app')
  return await compareTruth(audience.truth, ask, tolerance, app === undefined ? [] : [['filter', `app_id:${app}`]])
}

interface Told {
  readonly audience: Audience
  readonly settings: SimulateSettings
  readonly done: Done
  readonly comparison: Comparison | undefined
}

function tell(args: Args, io: Io, { audience, settings, done, comparison }: Told): void {
  if (args.has('json')) {
    const { concurrents: _, by: __, ...summary } = summaryOf(settings.audience, audience.truth)
    io.out(`${toJson({ ...done, ...summary, ...(comparison !== undefined && { comparison }) })}\n`)
    return
  }
  const said = [
    ...(settings.toLog ? [`${done.events} events into the log`] : []),
    ...(done.live === undefined ? [] : [`${done.live.accepted} events accepted, ${done.live.rejected} rejected`]),
  ]
  io.out(`${said.join(', ')}${done.interrupted ? ', then interrupted' : ''}\n\n`)
  io.out(comparison === undefined ? truthText(audience.truth) : comparisonText(comparison))
}

interface Keys {
  readonly publishable: string
  readonly data: string
}

/** Given, or those of this data folder, as far as they are needed. */
function keysOf(args: Args, { live }: SimulateSettings, config: Config): Keys {
  const [publishable, data] = [args.value('key'), args.value('data-key')]
  const missing = (live && publishable === undefined) || (args.has('compare') && data === undefined)
  const own = missing ? readKeyFile(keysPath(config)) : undefined
  return { publishable: publishable ?? own?.publishable ?? '', data: data ?? own?.data ?? '' }
}

/** The API that runs on this data folder, else where it would. */
function urlOf(args: Args, config: Config): string {
  const given = args.value('url')
  if (given !== undefined) return given.replace(/\/+$/, '')
  const running = liveRoles(foldersOf(config).run).find(({ role }) => role === 'api')
  return running?.url ?? `http://127.0.0.1:${config.port}`
}
