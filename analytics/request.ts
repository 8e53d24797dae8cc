/** One query request: what the URL, the headers and the body ask for, put together and run. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AnalyticsUser, Authenticate } from './auth.ts'
import { type Body, readHead, readOn, type TemporaryFiles } from './bodies.ts'
import { blockEncoding, decodedBody, responseEncoding } from './compression.ts'
import { refuse } from './errors.ts'
import type { Execution, Executor, Outcome } from './execute.ts'
import { readForm } from './form.ts'
import type { Gate, Role } from './gate.ts'
import type { AnalyticsLimits } from './limits.ts'
import { REVISION_WITH_CUSTOM_SERIALIZATION } from './native.ts'
import type { Queue } from './queue.ts'
import { type Delivery, sendOutcome } from './response.ts'
import type { Session, Sessions } from './sessions.ts'
import { readParameters, readSettings } from './settings.ts'
import { parseStatement, type Statement } from './statement.ts'

export interface Handling {
  readonly authenticate: Authenticate
  readonly gate: Gate
  readonly executor: Executor
  readonly queues: Readonly<Record<Role, Queue>>
  readonly sessions: Sessions
  readonly files: TemporaryFiles
  readonly limits: AnalyticsLimits
}

export async function handleQuery(
  handling: Handling,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<void> {
  const { limits } = handling
  const user = handling.authenticate(request, query)
  const body = await readHead(decodedBody(request, query), limits.sqlBytesMax)
  try {
    const form = await readForm(request, body)
    const call = { request, response, signal }
    if (form === undefined) await runQuery(handling, user, body, { ...call, query })
    else await runQuery(handling, user, form.body, { ...call, query: new URLSearchParams([...query, ...form.fields]) })
  } finally {
    if (!body.complete) await body.rest.return?.()
  }
}

/** Rows in Values may be expressions, which is how JDBC writes its times; off unless each of them was looked through. */
const INTERPRETING = [
  'input_format_values_interpret_expressions',
  'input_format_values_deduce_templates_of_expressions',
]

interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
  readonly signal: AbortSignal
}

async function runQuery(handling: Handling, user: AnalyticsUser, sent: Body, call: Call): Promise<void> {
  const { limits, gate } = handling
  const { request, response, query, signal } = call
  const { statement, sql, body: begun, dataStart } = readStatement(query, sent, limits.sqlBytesMax)
  // GET must not change anything, whoever asks.
  const role: Role = request.method === 'POST' ? user.role : 'reader'
  gate.check(sql, statement, role)
  const roleLimits = limits[user.role]
  const parameters = readParameters(query)
  gate.checkParameters(sql, statement, parameters)
  const isValues = statement.kind === 'insert-data' && statement.format === 'Values'
  const body = isValues ? await readOn(begun, limits.valuesBytesMax) : begun
  const settings = new Map(readSettings(query, user.role, roleLimits))
  if (isValues && body.complete && (await gate.mayInterpret(body.head.toString('latin1', dataStart)))) {
    for (const name of INTERPRETING) settings.set(name, '1')
  }
  const outcome = await executeInSession(handling, user, query, {
    statement,
    sql,
    body,
    dataStart,
    database: database(request, query),
    defaultFormat: defaultFormat(request, query),
    settings,
    parameters,
    isReadonly: role === 'reader',
    limits: roleLimits,
    signal,
  })
  try {
    await sendOutcome(response, outcome, delivery(request, query, outcome.format))
  } finally {
    if (outcome.path !== undefined) handling.files.remove(outcome.path)
  }
}

/** The session is free again before its client can know the answer: the next request may follow at once. */
async function executeInSession(
  handling: Handling,
  user: AnalyticsUser,
  query: URLSearchParams,
  execution: Omit<Execution, 'session'>,
): Promise<Outcome> {
  const session = takeSession(handling, user, query)
  let isBroken = true
  try {
    const outcome = await handling.executor.execute({ ...execution, session }, handling.queues[user.role])
    isBroken = false
    return outcome
  } finally {
    session?.release(isBroken && execution.signal.aborted)
  }
}

interface Sent {
  readonly statement: Statement
  /** Where the statement's offsets point into; latin1. */
  readonly sql: string
  /** An INSERT's rows begin at `dataStart` in here. */
  readonly body: Body
  readonly dataStart: number
}

/**
 * SQL is in the URL, in the body, or begins in one and goes on in the other. Where the URL holds a whole INSERT, the
 * body is its rows, byte for byte: nothing in it is ever read as SQL.
 */
function readStatement(query: URLSearchParams, sent: Body, sqlBytesMax: number): Sent {
  const fromUrl = Buffer.from(query.getAll('query').join(''), 'utf8').toString('latin1')
  if (fromUrl.length > sqlBytesMax) throw refuse('QUERY_IS_TOO_LARGE', 'Query is too large')
  const whole = sent.head.length > 0 ? tryInsert(fromUrl) : undefined
  if (whole !== undefined) return { statement: whole, sql: fromUrl, body: sent, dataStart: 0 }
  const joint = fromUrl.trim() === '' ? '' : sent.head.length > 0 ? `${fromUrl}\n` : fromUrl
  const body = joint === '' ? sent : { ...sent, head: Buffer.concat([Buffer.from(joint, 'latin1'), sent.head]) }
  const sql = body.head.toString('latin1')
  const statement = parseStatement(sql, body.complete)
  return { statement, sql, body, dataStart: statement.kind === 'insert-data' ? statement.dataStart : 0 }
}

/** An INSERT whose text in the URL reaches its FORMAT and has no rows behind it yet. */
function tryInsert(fromUrl: string): Statement | undefined {
  if (!/^[\s\S]*?\binsert\b/i.test(fromUrl)) return undefined
  const statement = parseStatement(fromUrl, true)
  return statement.kind === 'insert-data' && statement.dataStart >= fromUrl.trimEnd().length ? statement : undefined
}

function delivery(request: IncomingMessage, query: URLSearchParams, format: string): Delivery {
  const revision = Number(query.get('client_protocol_version') ?? 0)
  return {
    encoding: responseEncoding(request, query),
    blocks: blockEncoding(query),
    hasBlockInfo: format === 'Native' && revision >= REVISION_WITH_CUSTOM_SERIALIZATION,
    isHead: request.method === 'HEAD',
  }
}

function takeSession(handling: Handling, user: AnalyticsUser, query: URLSearchParams): Session | undefined {
  const id = query.get('session_id') ?? ''
  if (id === '' || user.role === 'reader') return undefined
  const { limits } = handling
  const timeoutSeconds = Number(query.get('session_timeout') ?? limits.sessionTimeoutSeconds)
  if (!Number.isFinite(timeoutSeconds) || timeoutSeconds <= 0 || timeoutSeconds > limits.sessionTimeoutMaxSeconds) {
    throw refuse(
      'INVALID_SESSION_TIMEOUT',
      `Session timeout must be above 0 and at most ${limits.sessionTimeoutMaxSeconds} seconds`,
    )
  }
  return handling.sessions.take(user.name, {
    id: id.slice(0, 256),
    timeoutSeconds,
    mustExist: query.get('session_check') === '1',
  })
}

function database(request: IncomingMessage, query: URLSearchParams): string | undefined {
  const header = request.headers['x-clickhouse-database']
  const name = query.get('database') ?? (typeof header === 'string' ? header : '')
  return name === '' ? undefined : name
}

function defaultFormat(request: IncomingMessage, query: URLSearchParams): string {
  const header = request.headers['x-clickhouse-format']
  const name = query.get('default_format') ?? (typeof header === 'string' ? header : '')
  if (name === '') return 'TabSeparated'
  if (!/^[A-Za-z][A-Za-z0-9]{0,63}$/.test(name)) throw refuse('BAD_ARGUMENTS', 'Bad format name')
  return name
}
