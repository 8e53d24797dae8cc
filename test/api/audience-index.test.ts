/** Every view has its own slot, whatever it shares its session id with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NO_SLOT, ViewIndex, type ViewName } from '../../api/audience/view-index.ts'

const VIEWS_MAX = 40
const arbitraryView = fc.record({
  profileId: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  sessionId: fc.constantFrom('s', 's\0a\0t1', 'other'),
  titleId: fc.constantFrom('t1', 't2', 't3', 't4', 't5'),
})

test('any views added and removed: each is found in its slot, and no other is', () => {
  fc.assert(
    fc.property(fc.array(arbitraryView, { maxLength: 200 }), (steps) => {
      const index = new ViewIndex(VIEWS_MAX)
      const slots = new Map<string, { view: ViewName; slot: number }>()
      for (const view of steps) {
        const key = JSON.stringify(view)
        const known = slots.get(key)
        assert.equal(index.find(view), known?.slot ?? NO_SLOT)
        if (known !== undefined) {
          index.remove(known.slot)
          slots.delete(key)
        } else if (index.size < VIEWS_MAX) {
          slots.set(key, { view, slot: index.add(view, view.titleId) })
        }
        assert.equal(index.size, slots.size)
        assert.equal(new Set([...slots.values()].map(({ slot }) => slot)).size, slots.size)
        for (const { view: other, slot } of slots.values()) assert.equal(index.find(other), slot)
      }
      assert.ok(index.slots <= VIEWS_MAX)
    }),
    { numRuns: 200 },
  )
})
