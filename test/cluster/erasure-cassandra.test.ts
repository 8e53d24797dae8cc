/** Erasure with states and keys in a real Cassandra: what its write times and tombstones make of a redo. */
import { randomUUID } from 'node:crypto'
import { after, before } from 'node:test'
import { openCassandraState } from '../../stores/cassandra/index.ts'
import { openCassandraVault } from '../../stores/cassandra/vault.ts'
import type { EngineSet } from '../consumers/engine-set.ts'
import { erasureSuite } from '../consumers/erasure-suite.ts'
import { simEngines } from '../sim/engine-set.ts'
import { cassandra, type Running } from './servers.ts'

let server: Running
let engines: EngineSet
let close: () => Promise<void>

before(async () => {
  server = await cassandra()
  const place = {
    contactPoints: [server.host],
    port: server.port,
    keyspace: `k_${randomUUID().replaceAll('-', '')}`,
  }
  const sim = await simEngines()
  const state = await openCassandraState({ ...place, clock: Date.now })
  const vault = await openCassandraVault(place)
  engines = { ...sim, name: 'cassandra', state, vault }
  close = async () => {
    await Promise.all([state.close(), vault.close(), sim.close()])
  }
})
after(async () => {
  await close?.()
  await server?.close()
})
erasureSuite(() => engines, [undefined, 'states.erased'])
