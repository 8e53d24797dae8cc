/**
 * The only file that knows kafkajs: one connection to one broker, and the requests on it.
 *
 * kafkajs (pinned, frozen) gives the socket, TLS, login and the bytes of the small requests. Its producer, consumer and
 * cluster are not used: their retries hide what happened, and what happened decides what we may do next. So its
 * internals are imported, here only. Answers come back with their error codes in them, as values; what is thrown is
 * always a LogError, and after it the link is closed.
 *
 * A broker answers a connection's requests one after the other, so a long poll blocks what comes behind it: whoever
 * waits has a link of its own.
 */
import { createRequire } from 'node:module'
import { LogError, LogUnavailable } from '../errors.ts'
import { KAFKA_LIMITS } from './limits.ts'
import type { RequestName, Requests } from './protocol.ts'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** As pino's loggers; no secret is ever handed to it. */
export interface Logger {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
}

export interface LinkOptions {
  readonly clientId: string
  readonly ssl?: {
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly rejectUnauthorized?: boolean
  }
  readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string }
  readonly log: Logger
}

/** A request whose bytes are ours. */
export interface Frame<T> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  readonly body: Buffer
  decode(payload: Buffer): T
}

export interface Link {
  readonly address: string
  /** False when it broke or was closed; then it is of no more use. */
  usable(): boolean
  call<N extends RequestName>(name: N, ask: Requests[N]['ask'], timeoutMs?: number): Promise<Requests[N]['answer']>
  send<T>(frame: Frame<T>, timeoutMs?: number): Promise<T>
  /** What is under way is rejected. */
  close(): void
}

interface Exchange {
  readonly request: { apiKey: number; apiVersion: number; apiName: string; encode(): Promise<unknown> }
  readonly response: { decode(payload: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> }
  readonly logResponseError?: boolean
}

interface KafkaJsConnection {
  connect(): Promise<void>
  authenticate(): Promise<void>
  disconnect(): Promise<void>
  send(exchange: Exchange): Promise<unknown>
  isConnected(): boolean
  rejectRequests(error: Error): void
  setVersions(versions: object): void
  setSupportAuthenticationProtocol(isSupported: boolean): void
  readonly socket?: { destroy(): void; setNoDelay(on: boolean): void }
  readonly requestQueue: {
    pending: unknown[]
    throttledUntil: number
    destroy(): void
    scheduleCheckPendingRequests(): void
  }
}

type Definition = { protocol(options: { version: number }): (ask: object) => Exchange }

const require = createRequire(import.meta.url)
const Connection = require('kafkajs/src/network/connection') as new (options: object) => KafkaJsConnection
const socketFactory = require('kafkajs/src/network/socketFactory') as () => unknown
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as Record<string, number>
const { requests, lookup } = require('kafkajs/src/protocol/requests') as {
  requests: Record<string, Definition>
  lookup(versions: object): (apiKey: number, definition: Definition) => (ask: object) => Exchange
}
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode(code: number): Error & { type: string }
}

/** Kafka's name and words for an error code. */
export function wordsOf(code: number): string {
  const error = createErrorFromCode(code)
  return `${error.type} (${error.message})`
}

export async function openLink(endpoint: Endpoint, options: LinkOptions): Promise<Link> {
  const address = `${endpoint.host}:${endpoint.port}`
  const { clientId, ssl, sasl } = options
  const connection = new Connection({
    ...endpoint,
    clientId,
    ssl,
    // kafkajs keeps a login's state in the object it is given.
    sasl: sasl && { ...sasl },
    socketFactory: socketFactory(),
    connectionTimeout: KAFKA_LIMITS.connectTimeoutMs,
    // Ours, below: kafkajs would look through each connection's requests ten times a second.
    enforceRequestTimeout: false,
    logger: bridge(options.log, address),
  })
  calm(connection)
  try {
    const find = await bounded(connection, handshake(connection), KAFKA_LIMITS.connectTimeoutMs)
    return new KafkaJsLink(address, connection, find)
  } catch (error) {
    hangUp(connection, error as Error)
    throw asLogError(error, address)
  }
}

async function handshake(connection: KafkaJsConnection): Promise<ReturnType<typeof lookup>> {
  await connection.connect()
  connection.socket?.setNoDelay(true)
  const asked = requests.ApiVersions!.protocol({ version: 2 })({})
  const { apiVersions } = (await connection.send(asked)) as {
    apiVersions: { apiKey: number; minVersion: number; maxVersion: number }[]
  }
  const versions = Object.fromEntries(apiVersions.map(({ apiKey, ...range }) => [apiKey, range]))
  connection.setVersions(versions)
  connection.setSupportAuthenticationProtocol(true)
  await connection.authenticate()
  return lookup(versions)
}

class KafkaJsLink implements Link {
  readonly address: string
  readonly #connection: KafkaJsConnection
  readonly #lookup: ReturnType<typeof lookup>
  #closed = false

  constructor(address: string, connection: KafkaJsConnection, find: ReturnType<typeof lookup>) {
    this.address = address
    this.#connection = connection
    this.#lookup = find
  }

  usable(): boolean {
    return !this.#closed && this.#connection.isConnected()
  }

  async call<N extends RequestName>(
    name: N,
    ask: Requests[N]['ask'],
    timeoutMs: number = KAFKA_LIMITS.requestTimeoutMs,
  ): Promise<Requests[N]['answer']> {
    const { request, response } = this.#lookup(apiKeys[name]!, requests[name]!)(ask)
    return this.#exchange<Requests[N]['answer']>({ request, response: asIs(response.decode) }, timeoutMs)
  }

  async send<T>(frame: Frame<T>, timeoutMs: number = KAFKA_LIMITS.requestTimeoutMs): Promise<T> {
    const { body, decode, ...names } = frame
    const request = { ...names, encode: async () => ({ buf: body, buffer: body }) }
    return this.#exchange<T>({ request, response: asIs(async (payload) => decode(payload)) }, timeoutMs)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    hangUp(this.#connection, new Error('the connection was closed'))
  }

  async #exchange<T>(exchange: Exchange, timeoutMs: number): Promise<T> {
    try {
      const answer = this.#connection.send({ ...exchange, logResponseError: false })
      return (await bounded(this.#connection, answer, timeoutMs)) as T
    } catch (error) {
      this.close()
      throw asLogError(error, this.address)
    }
  }
}

/**
 * A broker that does not answer in time is hung up on: what it would say later, nobody could match. Raced, because
 * kafkajs leaves the promise of a connection that ends while it is made as it is, for ever.
 */
async function bounded<T>(connection: KafkaJsConnection, answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${timeoutMs} ms`)
      hangUp(connection, error)
      reject(error)
    }, timeoutMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

/** kafkajs would throw the first error code that it sees; we want all of the answer. */
function asIs(decode: (payload: Buffer) => Promise<unknown>): Exchange['response'] {
  return { decode, parse: async (decoded) => decoded }
}

/** kafkajs 2.2.4 re-arms a timer each millisecond on every idle connection; it is needed only while something waits. */
function calm({ requestQueue }: KafkaJsConnection): void {
  const schedule = requestQueue.scheduleCheckPendingRequests
  requestQueue.scheduleCheckPendingRequests = function (this: typeof requestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
  }
}

function hangUp(connection: KafkaJsConnection, why: Error): void {
  connection.rejectRequests(why)
  connection.requestQueue.destroy()
  // With nothing pending this only changes its state; it can't fail.
  void connection.disconnect()
  connection.socket?.destroy()
}

function asLogError(error: unknown, address: string): LogError {
  if (error instanceof LogError) return error
  const { name, message } = error as Error
  if (name === 'KafkaJSSASLAuthenticationError' || /SASL|authentication/i.test(message)) {
    return new LogError('LOG_DENIED', `Kafka at ${address} refuses the login: ${message}`, { cause: error })
  }
  if (/certificate|self.signed|altname/i.test(message)) {
    const hint = 'check the CA file, and the name in the certificate'
    return new LogError('LOG_DENIED', `Kafka at ${address} can't be trusted: ${message} (${hint})`, { cause: error })
  }
  return new LogUnavailable(`Kafka at ${address}: ${message}`, { cause: error })
}

/** Lost connections are news to whoever used them, and reported there; kafkajs' own words are for looking closer. */
function bridge(log: Logger, address: string): object {
  const say = (message: string, extra: { error?: unknown; code?: unknown } = {}) =>
    log.debug({ kafka: address, error: extra.error, code: extra.code }, message)
  const logger = { debug: () => undefined, info: say, warn: say, error: say, namespace: () => logger }
  return logger
}
