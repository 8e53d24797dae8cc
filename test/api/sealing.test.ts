import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sealer } from '../../api/context.ts'
import { orLeftOut } from '../../api/sealing.ts'
import type { Personal } from '../../schemas/index.ts'
import { StoreUnavailable } from '../../stores/errors.ts'

const TV: Personal = { accountId: 'smith', deviceId: 'tv', userAgent: null, address: null, custom: {}, sealed: null }

test('while the vault is away nothing personal is written, and how often is counted', async () => {
  let leftOut = 0
  const away: Sealer = { seal: () => Promise.reject(new StoreUnavailable('away')) }
  const sealer = orLeftOut(away, (count) => {
    leftOut += count
  })
  const sealed = await sealer.seal([{ profileId: 'ann', personal: TV }])
  assert.deepEqual(sealed, [{ ...TV, accountId: null, deviceId: null }])
  assert.equal(leftOut, 1)
})

test('what is no outage is not taken for one', async () => {
  const broken: Sealer = { seal: () => Promise.reject(new TypeError('a mistake')) }
  await assert.rejects(orLeftOut(broken, () => undefined).seal([{ profileId: 'ann', personal: TV }]), TypeError)
})
