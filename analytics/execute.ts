/** One request's statement through the engine: settings, parameters, the file of rows or of the result, and cancelling. */
import { randomUUID } from 'node:crypto'
import { type Body, fileBytes, readSmall, saveBody, type TemporaryFiles } from './bodies.ts'
import type { Connection, Engine, QueryResult } from './engine.ts'
import { ClickHouseError, CODES, fromEngine, refuse } from './errors.ts'
import type { AnalyticsLimits, QueryLimits } from './limits.ts'
import type { Queue } from './queue.ts'
import type { Session } from './sessions.ts'
import { baseSettings, literal, parameterStatement, type Settings, setStatement } from './settings.ts'
import type { InsertData, Query, Statement } from './statement.ts'

export interface Execution {
  readonly statement: Statement
  /** The whole SQL text, latin1. */
  readonly sql: string
  readonly body: Body
  /** Where an INSERT's rows begin in the body. */
  readonly dataStart: number
  readonly database: string | undefined
  readonly defaultFormat: string
  readonly settings: Settings
  readonly parameters: Settings
  readonly isReadonly: boolean
  readonly limits: QueryLimits
  readonly session: Session | undefined
  readonly signal: AbortSignal
}

export interface Outcome {
  readonly format: string
  /** The result's file if it is large, else its bytes. */
  readonly path: string | undefined
  readonly text: Uint8Array
  readonly elapsedSeconds: number
  readonly readRows: number
  readonly readBytes: number
  readonly writtenRows: number
  readonly writtenBytes: number
}

export interface Executor {
  /** The caller removes `path`. */
  execute(execution: Execution, queue: Queue): Promise<Outcome>
}

export function createExecutor(engine: Engine, files: TemporaryFiles, limits: AnalyticsLimits): Executor {
  return {
    async execute(execution, queue) {
      const path = files.path()
      let keep = false
      try {
        const { statement } = execution
        let bytes = 0
        if (statement.kind === 'insert-data')
          bytes = await saveBody(execution.body, execution.dataStart, path, limits.bodyBytesMax)
        // No rows is no insert; the engine would call an empty file an error in some formats.
        if (statement.kind === 'insert-data' && bytes === 0) return nothingInserted(statement)
        const outcome = await queue.run(() => runOnce(engine, execution, path), execution.signal)
        keep = outcome.path !== undefined
        return outcome
      } catch (error) {
        throw hidePath(fromEngine(error), files.directory)
      } finally {
        if (!keep) files.remove(path)
      }
    },
  }
}

async function runOnce(engine: Engine, execution: Execution, path: string): Promise<Outcome> {
  const id = randomUUID()
  const connection = execution.session?.connection ?? engine.connect()
  const watch = watchQuery(engine, execution, id, path)
  try {
    const restore = await prepare(connection, execution, id)
    try {
      const outcome = await runStatement(connection, execution, path)
      watch.check()
      return outcome
    } catch (error) {
      watch.check()
      throw error
    } finally {
      await restore()
    }
  } finally {
    watch.end()
    if (execution.session === undefined) connection.close()
  }
}

const WATCH_MS = 100

interface Watch {
  /** Throws if the result is too large; a cancelled query says less. */
  check(): void
  end(): void
}

/**
 * Stops a query whose client went away or whose result outgrows its limit (the engine counts a result in memory,
 * where a constant column is one value; here its bytes count). Asked again until it ends: it may not have begun.
 */
function watchQuery(engine: Engine, execution: Execution, id: string, path: string): Watch {
  const isResult = execution.statement.kind === 'query'
  const isTooLarge = () => isResult && fileBytes(path) > execution.limits.resultBytes
  const look = () => {
    if (execution.signal.aborted || isTooLarge()) engine.cancel(id)
  }
  const timer = setInterval(look, WATCH_MS)
  execution.signal.addEventListener('abort', look, { once: true })
  return {
    check() {
      if (isTooLarge())
        throw refuse('TOO_MANY_ROWS_OR_BYTES', `Limit for result exceeded, max bytes: ${execution.limits.resultBytes}`)
    },
    end() {
      clearInterval(timer)
      execution.signal.removeEventListener('abort', look)
    },
  }
}

async function runStatement(connection: Connection, execution: Execution, path: string): Promise<Outcome> {
  const { statement, defaultFormat } = execution
  try {
    const result = await connection.run(toUtf8(statementText(execution, path)), defaultFormat)
    return outcomeOf(execution, result, path)
  } catch (error) {
    // A syntax error must speak of the client's own text, not of what the front wrote into it. Nothing ran yet.
    if (!(error instanceof ClickHouseError) || error.code !== CODES.SYNTAX_ERROR || statement.kind === 'command')
      throw error
    const plain =
      statement.kind === 'query'
        ? `${statement.before}${statement.after}`
        : `${statement.before}${statement.settings}${statement.after}`
    return outcomeOf(execution, await connection.run(toUtf8(plain), defaultFormat), path)
  }
}

/** Sets everything for this request; answers what undoes it where the connection lives on. */
async function prepare(connection: Connection, execution: Execution, id: string): Promise<() => Promise<void>> {
  const { session, settings } = execution
  const base = baseSettings(execution.limits, id)
  const start = session?.isReady !== true ? setStatement(base) : setStatement(new Map([['log_comment', id]]))
  const undo = session === undefined || settings.size === 0 ? '' : await restoring(connection, settings)
  const use = execution.database === undefined ? '' : `USE ${quoted(execution.database)};`
  const readonly = execution.isReadonly && session === undefined ? 'SET readonly = 1;' : ''
  await connection.run(
    `${start}${use}${setStatement(settings)}${parameterStatement(execution.parameters)}${readonly}`,
    'Null',
  )
  session?.markReady()
  return async () => {
    if (undo !== '') await connection.run(undo, 'Null')
  }
}

/** What puts a session's own values of these settings back. */
async function restoring(connection: Connection, settings: Settings): Promise<string> {
  const names = [...settings.keys()].map(literal).join(', ')
  const now = await connection.run(
    `SELECT name, value FROM system.settings WHERE changed AND name IN (${names})`,
    'JSONCompactEachRow',
  )
  const lines = Buffer.from(now.text)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
  const old = new Map(lines.map((line) => JSON.parse(line) as [string, string]))
  return [...settings.keys()]
    .map((name) => `SET ${name} = ${old.has(name) ? literal(old.get(name) ?? '') : 'DEFAULT'};`)
    .join('')
}

function statementText(execution: Execution, path: string): string {
  const { statement } = execution
  if (statement.kind === 'command') return statement.text
  if (statement.kind === 'query') return queryText(statement, path, execution.defaultFormat)
  return insertText(statement, path)
}

function queryText(query: Query, path: string, defaultFormat: string): string {
  const format = query.format === undefined ? `FORMAT ${defaultFormat}` : query.after
  // On a line of its own: the statement may end in a comment.
  return `${query.before}\nINTO OUTFILE ${literal(path)} ${format}`
}

function insertText(insert: InsertData, path: string): string {
  const { before, settings, after, input } = insert
  if (input === undefined) return `${before}\nFROM INFILE ${literal(path)} COMPRESSION 'none' ${settings} ${after}`
  const source = `file(${literal(path)}, ${literal(insert.format)}, `
  return `${before.slice(0, input.start)}${source}${before.slice(input.end)} ${settings}`
}

function outcomeOf(execution: Execution, result: QueryResult, path: string): Outcome {
  const { statement } = execution
  const isInsert = statement.kind === 'insert-data'
  const hasFile = statement.kind === 'query' && fileBytes(path) >= 0
  const small = hasFile ? readSmall(path) : undefined
  return {
    format: statement.kind === 'query' ? (statement.format ?? execution.defaultFormat) : execution.defaultFormat,
    path: hasFile && small === undefined ? path : undefined,
    text: small ?? result.text,
    elapsedSeconds: result.elapsedSeconds,
    readRows: result.rows,
    readBytes: result.bytes,
    writtenRows: isInsert ? result.rows : 0,
    writtenBytes: isInsert ? result.bytes : 0,
  }
}

function nothingInserted(insert: InsertData): Outcome {
  return {
    format: insert.format,
    path: undefined,
    text: new Uint8Array(0),
    elapsedSeconds: 0,
    readRows: 0,
    readBytes: 0,
    writtenRows: 0,
    writtenBytes: 0,
  }
}

/** The engine takes text: bytes that aren't UTF-8 would be changed on the way, so they are refused. */
function toUtf8(latin1: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, 'latin1'))
  } catch (error) {
    throw new ClickHouseError(62, 'The statement is not valid UTF-8. (SYNTAX_ERROR)', { cause: error })
  }
}

function quoted(identifier: string): string {
  if (identifier.includes('\0')) throw refuse('BAD_ARGUMENTS', 'Bad database name')
  return `\`${identifier.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

/** Where the front keeps its files is nobody's business. */
function hidePath(error: ClickHouseError, directory: string): ClickHouseError {
  if (!error.message.includes(directory)) return error
  return new ClickHouseError(error.code, error.message.replaceAll(directory, '(body)'), { cause: error.cause })
}
