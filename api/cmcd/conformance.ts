/**
 * GET /v1/cmcd/conformance. What was wrong with a record is in its event, so that a restart loses none of it and every
 * process answers the same: the table of all events is asked. Only what made no event is counted in memory (tally.ts).
 */
import type { FastifyInstance } from 'fastify'
import { FAULTS, FAULTS_KEY, type FaultCode } from '../../producers/cmcd/index.ts'
import type { Admission } from '../context.ts'
import { keyGate } from '../gate.ts'
import type { AnalyticsReader } from '../ports.ts'
import { Statement } from '../qoe/statement.ts'
import { COLLECTOR_LIMITS } from './limits.ts'
import { type ConformanceQuery, ConformanceSchema } from './schemas.ts'
import type { Tally } from './tally.ts'

export interface ConformanceParts {
  readonly admission: Admission
  readonly analytics: AnalyticsReader
  readonly nowMs: () => number
  readonly tally: Tally
}

interface Scope {
  readonly app: string
  readonly environment: string
}

type Row = Readonly<Record<string, string | number>>

export function addConformance(app: FastifyInstance, parts: ConformanceParts): void {
  const { onRequest, callerOf } = keyGate(parts.admission, ['data', 'admin'], 'browse')
  app.get('/v1/cmcd/conformance', { onRequest, schema: ConformanceSchema }, async (request) => {
    const { hours = COLLECTOR_LIMITS.conformanceHours, player } = request.query as ConformanceQuery
    const toMs = parts.nowMs() + 1
    const window = { fromMs: toMs - hours * 3_600_000, toMs }
    const { app: appId, environment } = callerOf(request)
    const scope = { app: appId, environment }
    const [players, faults] = await Promise.all([
      ask(parts.analytics, window, scope, player, PLAYERS_SQL),
      ask(parts.analytics, window, scope, player, FAULTS_SQL),
    ])
    const records = players.reduce((sum, row) => sum + Number(row.records), 0)
    return {
      from: timeOf(window.fromMs),
      to: timeOf(window.toMs),
      records,
      complete: records < COLLECTOR_LIMITS.conformanceRecordsMax,
      players: players.map((row) => shown(row, faults)),
      leftOut: parts.tally
        .of({ appId, environment })
        .filter((left) => player === undefined || left.player === player)
        .map(({ lastSeenMs, ...left }) => ({ ...left, lastSeen: timeOf(lastSeenMs) })),
    }
  })
}

/** The newest records within the bound, each with what is asked of it. A response's record counts as the report it is. */
function recordsSql(
  statement: Statement,
  database: string,
  window: { fromMs: number; toMs: number },
  scope: Scope,
): string {
  const keys = `JSONExtractString(payload, 'keys', ${statement.value('String', FAULTS_KEY)})`
  const text = (name: string) => `JSONExtractString(payload, 'context', '${name}')`
  const player = `multiIf(${text('player')} = '', if(${text('browser')} = '', 'unknown', ${text('browser')}),
    ${text('playerVersion')} = '', ${text('player')}, concat(${text('player')}, '/', ${text('playerVersion')}))`
  return `SELECT type, received_at, ${player} AS player, greatest(if(type = 'CmcdReport', JSONExtractInt(payload, 'version'),
      toInt64OrZero(JSONExtractString(payload, 'keys', 'v'))), 1) AS own_version,
    ${keys} AS faults, JSONExtractString(payload, 'raw') AS raw
  FROM (
    SELECT type, received_at, payload FROM ${statement.table(database, 'events')}
    WHERE toStartOfHour(received_at) >= toStartOfHour(${statement.moment(window.fromMs)})
      AND ${statement.within('received_at', window)}
      AND type IN ('CmcdReport', 'CmcdRequest') AND fate = 'folded' AND source = 'cmcd'
      AND NOT (type = 'CmcdRequest' AND JSONExtractString(payload, 'keys', 'e') = 'rr')
      AND app_id = ${statement.value('String', scope.app)}
      AND environment = ${statement.value('String', scope.environment)}
    ORDER BY received_at DESC, position DESC LIMIT ${statement.value('UInt32', COLLECTOR_LIMITS.conformanceRecordsMax)}
  )`
}

type Question = (statement: Statement, records: string, where: string) => string

const PLAYERS_SQL: Question = (statement, records, where) => `SELECT player, type, own_version, count() AS records,
  countIf(faults != '') AS faulty, toUnixTimestamp64Milli(min(received_at)) AS first_ms,
  toUnixTimestamp64Milli(max(received_at)) AS last_ms
FROM (${records}) ${where} GROUP BY player, type, own_version
ORDER BY records DESC, player, type, own_version LIMIT ${statement.value('UInt32', COLLECTOR_LIMITS.conformancePlayersMax)}`

/** A fault is CODE:key. */
const FAULTS_SQL: Question = (statement, records, where) => `SELECT player, type, own_version, fault, count() AS count,
  substringUTF8(argMax(raw, received_at), 1, ${statement.value('UInt32', COLLECTOR_LIMITS.exampleCharsMax)}) AS example
FROM (${records}) ARRAY JOIN splitByChar(' ', faults) AS fault ${where === '' ? 'WHERE' : `${where} AND`} fault != ''
GROUP BY player, type, own_version, fault
ORDER BY count DESC, player, fault LIMIT ${statement.value('UInt32', COLLECTOR_LIMITS.conformanceFaultsMax)}`

async function ask(
  analytics: AnalyticsReader,
  window: { fromMs: number; toMs: number },
  scope: Scope,
  player: string | undefined,
  question: Question,
): Promise<readonly Row[]> {
  const statement = new Statement()
  const records = recordsSql(statement, analytics.shared, window, scope)
  const where = player === undefined ? '' : `WHERE player = ${statement.value('String', player)}`
  const sql = question(statement, records, where)
  return await analytics.query<Row>(sql, statement.parameters, { timeoutMs: COLLECTOR_LIMITS.conformanceTimeoutMs })
}

function shown(row: Row, faults: readonly Row[]) {
  const own = faults.filter((f) => f.player === row.player && f.type === row.type && f.own_version === row.own_version)
  return {
    player: String(row.player),
    version: Number(row.own_version),
    mode: row.type === 'CmcdReport' ? ('event' as const) : ('request' as const),
    records: Number(row.records),
    faulty: Number(row.faulty),
    firstSeen: timeOf(Number(row.first_ms)),
    lastSeen: timeOf(Number(row.last_ms)),
    faults: own.map(({ fault, count, example }) => {
      const [code = '', key = ''] = split(String(fault))
      return { code, key, says: FAULTS[code as FaultCode] ?? '', count: Number(count), example: String(example) }
    }),
  }
}

function split(fault: string): readonly string[] {
  const colon = fault.indexOf(':')
  return colon < 0 ? [fault] : [fault.slice(0, colon), fault.slice(colon + 1)]
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
