/** `npm run cluster`: Kafka and Cassandra on loopback, in a throw-away folder, until Ctrl-C. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCassandra } from './cassandra.ts'
import type { Server } from './java.ts'
import { startKafka } from './kafka.ts'

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'playhead-cluster-'))
  const servers: Server[] = []
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve())
  })
  try {
    console.log('Starting Kafka and Cassandra (the first time their jars are fetched, which takes minutes) …')
    const starting = Promise.allSettled([
      startKafka({ dir: join(dir, 'kafka') }),
      startCassandra({ dir: join(dir, 'cassandra') }),
    ])
    const started = await Promise.race([starting, asked])
    const settled = started ?? (await starting)
    for (const one of settled) if (one.status === 'fulfilled') servers.push(one.value)
    const failed = settled.find((one) => one.status === 'rejected')
    if (started === undefined) return
    if (failed !== undefined) throw failed.reason
    console.log(usage(servers[0]!, servers[1]!))
    await asked
  } finally {
    console.log('Stopping …')
    await Promise.all(servers.map((server) => server.stop()))
    await rm(dir, { recursive: true, force: true })
  }
}

function usage(kafka: Server, cassandra: Server): string {
  return `
Kafka      ${kafka.host}:${kafka.port}
Cassandra  ${cassandra.host}:${cassandra.port}

Run Playhead on them, in another terminal:
  PLAYHEAD_LOG=${kafka.url} PLAYHEAD_STORE=${cassandra.url}/playhead npm start

Run the cluster's tests on them:
  PLAYHEAD_TEST_KAFKA=${kafka.host}:${kafka.port} PLAYHEAD_TEST_CASSANDRA=${cassandra.host}:${cassandra.port} npm run test:cluster

Ctrl-C stops both and removes their data.
`
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
