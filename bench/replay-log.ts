/** Logs to be folded again: heartbeats for `progress`, and an audience with everything else that an engine hears. */
import type { EventLog } from '../log/log.ts'
import { type EventCodec, type NewEvent, TOPICS, topicOf } from '../schemas/index.ts'
import { idOf } from '../test/consumers/events.ts'
import { fill } from './progress-log.ts'
import { AUDIENCE_FROM_MS, fillWithAudience } from './qoe-audience.ts'

export const PARTITIONS = 4
export const BENCH_SETTINGS = { positionDays: 90, historyDays: 3_650, definitions: [] }

export async function fillHeartbeats(log: EventLog, codec: EventCodec, events: number): Promise<void> {
  await log.ensureTopics([{ topic: 'playback-events', partitions: PARTITIONS }])
  await fill(log, codec, events)
}

/** One title in a thousand events, and an incident in ten thousand: what comes beside the reports of players. */
export async function fillEverything(log: EventLog, codec: EventCodec, events: number): Promise<void> {
  await log.ensureTopics(Object.keys(TOPICS).map((topic) => ({ topic, partitions: PARTITIONS })))
  await fillWithAudience(log, codec, { sessions: Math.max(100, events / 100), events })
  const others = [...Array(Math.ceil(events / 1_000)).keys()].map((n) => titleOf(n, events + n))
  const incidents = [...Array(Math.ceil(events / 10_000)).keys()].map((n) => incidentOf(n, 2 * events + n))
  const records = [...others, ...incidents].map(([event, key]) => {
    const { receivedAt: timestampMs } = event.meta
    return { topic: topicOf(event), key, value: codec.encode(event), timestampMs }
  })
  for (let at = 0; at < records.length; at += 2_000) await log.append(records.slice(at, at + 2_000))
}

function metaOf(id: number) {
  const atMs = AUDIENCE_FROM_MS + id
  const from = { source: 'api', appId: 'bench', environment: 'test', clock: 'trusted' } as const
  return { eventId: idOf(id), occurredAt: atMs, receivedAt: atMs, ...from }
}

function titleOf(n: number, id: number): readonly [NewEvent, string] {
  const titleId = `title-${n % 500}`
  const lists = { genres: ['drama'], cast: [], directors: [], regionsAvailable: [], regionsBlocked: [] }
  const more = { audioLanguages: [], textLanguages: [], images: {}, externalIds: {}, manifests: {} }
  const what = {
    kind: 'episode',
    name: `Title ${n}`,
    seriesId: `series-${n % 50}`,
    season: 1,
    episode: n % 10,
  } as const
  return [{ type: 'TitleRegistered', meta: metaOf(id), titleId, ...what, ...lists, ...more }, titleId]
}

function incidentOf(n: number, id: number): readonly [NewEvent, string] {
  const subject = `rule-${n % 10}`
  const what = { rule: subject, severity: 'warning', summary: 'bench', dimensions: {} } as const
  return [{ type: 'IncidentOpened', meta: metaOf(id), subject, incidentId: `incident-${n}`, ...what }, subject]
}
