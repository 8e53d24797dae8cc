/**
 * What every engine of the event log must do. An engine's test calls `logContract` with a way to make one log; each
 * test uses topics and groups of its own, so one broker (or folder) serves them all. Nothing here assumes that
 * positions start at 0 or are contiguous.
 */
import { after, before, describe } from 'node:test'
import { groupContract } from './contract-groups.ts'
import { readContract } from './contract-read.ts'
import { recordContract } from './contract-records.ts'
import { type LogUnderTest, type Patience, scenarios } from './contract-support.ts'
import { trimContract } from './contract-trim.ts'

const PATIENCE: Patience = { groupMs: 30_000, answerMs: 10_000 }

export function logContract(name: string, make: () => Promise<LogUnderTest>, patience: Partial<Patience> = {}): void {
  describe(`the event log on ${name}`, () => {
    let underTest: LogUnderTest | undefined
    before(async () => {
      underTest = await make()
    })
    after(() => underTest?.close())
    const scenario = scenarios(
      () => {
        if (underTest === undefined) throw new Error('the log under test was not made')
        return underTest
      },
      { ...PATIENCE, ...patience },
    )
    describe('records', () => recordContract(scenario))
    describe('reading', () => readContract(scenario))
    describe('trimming', () => trimContract(scenario))
    describe('groups', () => groupContract(scenario))
  })
}
