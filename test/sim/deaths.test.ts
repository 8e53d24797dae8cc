import { after, before } from 'node:test'
import { deathsSuite } from '../consumers/deaths-suite.ts'
import type { EngineSet } from '../consumers/engine-set.ts'
import { simEngines } from './engine-set.ts'

let engines: EngineSet
before(async () => {
  engines = await simEngines()
})
after(() => engines.close())
deathsSuite(() => engines)
