import { after, before } from 'node:test'
import { FAILPOINTS } from '../../consumers/failpoints.ts'
import type { EngineSet } from '../consumers/engine-set.ts'
import { erasureSuite } from '../consumers/erasure-suite.ts'
import { simEngines } from './engine-set.ts'

let engines: EngineSet
before(async () => {
  engines = await simEngines()
})
after(() => engines.close())
erasureSuite(() => engines, [undefined, ...FAILPOINTS])
