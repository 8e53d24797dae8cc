/**
 * The real servers for a test file. A server that is already running is used if its address is in the environment
 * (PLAYHEAD_TEST_KAFKA, PLAYHEAD_TEST_CASSANDRA: host:port); else one is started for the file, and removed after it.
 * Tests that stop, pause or reconfigure a server start their own with `ownKafka`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCassandra } from '../../deploy/cluster/cassandra.ts'
import type { Server } from '../../deploy/cluster/java.ts'
import { type KafkaOptions, type KafkaServer, startKafka } from '../../deploy/cluster/kafka.ts'

export interface Running {
  readonly host: string
  readonly port: number
  /** Stops it and removes its data, if it was started here. */
  close(): Promise<void>
}

export function kafka(): Promise<Running> {
  return sharedOr('PLAYHEAD_TEST_KAFKA', () => ownKafka())
}

export function cassandra(): Promise<Running> {
  return sharedOr('PLAYHEAD_TEST_CASSANDRA', () => ownCassandra())
}

/** A broker of this test file alone. */
export function ownKafka(options: Omit<KafkaOptions, 'dir'> = {}): Promise<Running & { readonly server: KafkaServer }> {
  return inFolder('kafka', (dir) => startKafka({ ...options, dir }))
}

/** A Cassandra of this test file alone. */
export function ownCassandra(): Promise<Running & { readonly server: Server }> {
  return inFolder('cassandra', (dir) => startCassandra({ dir }))
}

async function sharedOr(variable: string, start: () => Promise<Running>): Promise<Running> {
  const shared = process.env[variable]
  if (shared === undefined || shared === '') return start()
  const colon = shared.lastIndexOf(':')
  return { host: shared.slice(0, colon), port: Number(shared.slice(colon + 1)), close: async () => undefined }
}

async function inFolder<S extends Server>(
  name: string,
  start: (dir: string) => Promise<S>,
): Promise<Running & { readonly server: S }> {
  const dir = await mkdtemp(join(tmpdir(), `playhead-test-${name}-`))
  try {
    const server = await start(dir)
    const close = async () => {
      await server.kill()
      await rm(dir, { recursive: true, force: true })
    }
    return { host: server.host, port: server.port, server, close }
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}
