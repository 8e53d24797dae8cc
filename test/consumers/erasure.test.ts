import { after, before } from 'node:test'
import { embeddedEngines } from './embedded-engines.ts'
import type { EngineSet } from './engine-set.ts'
import { erasureSuite } from './erasure-suite.ts'

let engines: EngineSet
before(async () => {
  engines = await embeddedEngines()
})
after(() => engines.close())
erasureSuite(() => engines, [undefined, 'rows.inserted', 'states.erased'])
