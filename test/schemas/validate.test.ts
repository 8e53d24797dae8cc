import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createCodec, EVENT_TYPES, type Invalid, type NewEvent } from '../../schemas/index.ts'
import { anyEvent, HEARTBEAT, META } from './support.ts'

const codec = await createCodec()

function problem(change: Record<string, unknown>, type: 'Heartbeat' | 'ReplayedEvent' = 'Heartbeat'): Invalid {
  const answer = codec.validate(type, { ...HEARTBEAT, type, ...change })
  assert.equal(answer.ok, false)
  return answer as Invalid
}

describe('input that is right', () => {
  it('passes, is completed with defaults and can be encoded', () => {
    const { type: _, ...json } = JSON.parse(JSON.stringify(HEARTBEAT)) as Record<string, unknown>
    const answer = codec.validate('Heartbeat', json)
    assert.ok(answer.ok)
    assert.equal(answer.event.type, 'Heartbeat')
    assert.equal(answer.event.bufferMs, null)
    assert.deepEqual(answer.event.personal, null)
    assert.equal(codec.decode(codec.encode(answer.event)).ok, true)
  })

  it('may lack what the caller will set, and may not set it', () => {
    const { meta: _, ...json } = HEARTBEAT
    const answer = codec.validate('Heartbeat', json, { without: ['meta'] })
    assert.ok(answer.ok)
    assert.equal((answer.event as { meta?: unknown }).meta, null)
    assert.equal(codec.decode(codec.encode({ ...answer.event, meta: META } as NewEvent)).ok, true)
    const set = codec.validate('Heartbeat', HEARTBEAT, { without: ['meta'] })
    assert.deepEqual(!set.ok && [set.field, set.problem, set.remedy], ['meta', 'is set by the server', 'Leave it out.'])
  })

  it('takes bytes as base64', () => {
    const json = { meta: META, key: 'k', topic: 'playback-events', partition: 0, position: 1, value: 'AAEC' }
    const answer = codec.validate('ReplayedEvent', json)
    assert.deepEqual(answer.ok && Buffer.from(answer.event.value), Buffer.from([0, 1, 2]))
  })

  for (const type of EVENT_TYPES) {
    it(`is never altered, and what passes as ${type} always encodes`, () => {
      fc.assert(
        fc.property(anyEvent(type), (event) => {
          const answer = codec.validate(type, event)
          if (!answer.ok) return
          assert.deepEqual(answer.event, event)
          codec.encode(answer.event as NewEvent)
        }),
        { numRuns: 20 },
      )
    })
  }
})

describe('input that is wrong', () => {
  const CASES: readonly [string, Record<string, unknown>, string, RegExp, RegExp][] = [
    ['an unknown field', { postionMs: 1 }, 'postionMs', /is not a field/, /Did you mean positionMs\?/],
    ['a field unlike any other', { zzzzzzzzzz: 1 }, 'zzzzzzzzzz', /is not a field/, /Fields are meta, profileId/],
    ['a missing field', { profileId: undefined }, 'profileId', /is missing/, /Add it: Who watches/],
    ['a wrong type', { titleId: 7 }, 'titleId', /is 7/, /Use a string/],
    ['null where there must be something', { titleId: null }, 'titleId', /is null/, /Use a string/],
    ['an empty id', { titleId: '' }, 'titleId', /is empty/, /1 to 128 characters/],
    ['a long id', { titleId: 'x'.repeat(129) }, 'titleId', /has 129 characters/, /at most 128/],
    ['a number in quotes', { sequence: '7' }, 'sequence', /is "7"/, /Use a whole number/],
    ['a fraction', { positionMs: 1.5 }, 'positionMs', /is 1\.5/, /Round it/],
    ['a negative position', { positionMs: -1 }, 'positionMs', /out of range/, /from 0 to/],
    ['an int that is too large', { sequence: 2 ** 31 }, 'sequence', /out of range/, /to 2147483647/],
    ['NaN', { sequence: Number.NaN }, 'sequence', /is null/, /Round it/],
    ['an unknown symbol', { state: 'dancing' }, 'state', /is "dancing"/, /Use one of unknown, starting, playing/],
    ['a nested field', { context: { plyer: 'x' } }, 'context.plyer', /is not a field/, /Did you mean player\?/],
    [
      'an item of a list',
      {
        played: [
          { fromMs: 0, toMs: 1 },
          { fromMs: 0, toMs: 'x' },
        ],
      },
      'played[1].toMs',
      /is "x"/,
      /whole number/,
    ],
    ['an object for a list', { played: {} }, 'played', /is an object/, /JSON array/],
    [
      'a list that is too long',
      { played: new Array(1001).fill({ fromMs: 0, toMs: 1 }) },
      'played',
      /has 1001 entries/,
      /at most 1000/,
    ],
    [
      'too many custom dimensions',
      { personal: { custom: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`d${i}`, 'x'])) } },
      'personal.custom',
      /has 11 entries/,
      /at most 10/,
    ],
    ['a bad id', { meta: { ...META, eventId: 'x' } }, 'meta.eventId', /is "x"/, /UUID/],
    [
      'seconds for milliseconds as a string',
      { meta: { ...META, occurredAt: '2026-01-01' } },
      'meta.occurredAt',
      /is "2026-01-01"/,
      /Date\.now\(\)/,
    ],
    [
      'a time in the far future',
      { meta: { ...META, occurredAt: 1e15 } },
      'meta.occurredAt',
      /is 1000000000000000/,
      /milliseconds since 1970/,
    ],
    ['half a character', { cdn: '\ud800' }, 'cdn', /surrogate/, /well-formed/],
    ['a type that is another', { type: 'SeekEnded' }, 'type', /is not a field/, /Fields are/],
  ]
  for (const [name, change, field, says, remedy] of CASES) {
    it(`names the field and the remedy: ${name}`, () => {
      const answer = problem(change)
      assert.equal(answer.field, field)
      assert.match(answer.problem, says)
      assert.match(answer.remedy, remedy)
    })
  }

  it('bytes that are not base64', () => {
    const answer = codec.validate('ReplayedEvent', {
      meta: META,
      key: 'k',
      topic: 't',
      partition: 0,
      position: 1,
      value: '!!',
    })
    assert.deepEqual(!answer.ok && [answer.field, answer.remedy], ['value', 'Use base64 text.'])
  })

  it('is told several problems at once, but not without end', () => {
    const many = problem(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`unknown${i}`, 1])))
    assert.equal(many.problems.length, 10)
    assert.equal(problem({ sequence: 'x', positionMs: 'y' }).problems.length, 2)
  })

  it('of any JSON is answered, never thrown at', () => {
    fc.assert(
      fc.property(fc.constantFrom(...EVENT_TYPES), fc.jsonValue(), (type, json) => {
        assert.equal(codec.validate(type, json).ok, false)
      }),
      { numRuns: 1_000 },
    )
    for (const json of [null, 1, 'x', [], undefined]) assert.equal(codec.validate('Heartbeat', json).ok, false)
  })
})
