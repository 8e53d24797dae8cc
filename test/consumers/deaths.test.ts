import { after, before } from 'node:test'
import { deathsSuite } from './deaths-suite.ts'
import { embeddedEngines } from './embedded-engines.ts'
import type { EngineSet } from './engine-set.ts'

let engines: EngineSet
before(async () => {
  engines = await embeddedEngines()
})
after(() => engines.close())
deathsSuite(() => engines)
