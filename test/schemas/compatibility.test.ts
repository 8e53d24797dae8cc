import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RecordSchema, Schema } from '../../schemas/avro.ts'
import { diffSchemas, explainHistory } from '../../schemas/diff.ts'
import { selfContained } from '../../schemas/self-contained.ts'
import { readSources } from '../../schemas/tools/sources.ts'

const { sharedByName } = readSources()

type Field = RecordSchema['fields'][number]

/** An event around the given fields, as it would be released. */
function event(fields: readonly Field[], rest: Partial<RecordSchema> = {}): RecordSchema {
  return selfContained(
    {
      type: 'record',
      name: 'Thing',
      namespace: 'playhead.test',
      playhead: { topic: 'playback-events', key: 'profileId' },
      ...rest,
      fields: [{ name: 'meta', type: 'playhead.Meta' }, { name: 'profileId', type: 'string' }, ...fields],
    },
    sharedByName,
  )
}

const enumOf = (symbols: readonly string[], fallback?: string): Schema => ({
  type: 'enum',
  name: 'playhead.test.Colour',
  symbols,
  ...(fallback === undefined ? {} : { default: fallback }),
})
const nested = (fields: readonly Field[]): Schema => ({ type: 'record', name: 'playhead.test.Inner', fields })

interface Case {
  readonly change: string
  readonly before: readonly Field[]
  readonly after: readonly Field[]
  /** What the sentence must say: the path, what is wrong, the remedy. */
  readonly says: readonly RegExp[]
}

const INCOMPATIBLE: readonly Case[] = [
  {
    change: 'a field added without a default',
    before: [],
    after: [{ name: 'cdn', type: 'string' }],
    says: [/^cdn was added without a default/, /can't read what version 1 wrote/, /"default": null/],
  },
  {
    change: 'a field removed that had no default',
    before: [{ name: 'cdn', type: 'string' }],
    after: [],
    says: [/^cdn was removed/, /version 1 can't read what version 2 writes/, /keep the field/],
  },
  {
    change: 'a type changed both ways',
    before: [{ name: 'code', type: 'string' }],
    after: [{ name: 'code', type: 'int' }],
    says: [/^code changed from string to int/, /can't read each other/, /new field beside it/],
  },
  {
    change: 'a promotion, which old readers do not know',
    before: [{ name: 'count', type: 'int' }],
    after: [{ name: 'count', type: 'long' }],
    says: [/^count changed from int to long/, /version 1 can't read what version 2 writes/],
  },
  {
    change: 'a narrowing, which old data does not fit',
    before: [{ name: 'count', type: 'long' }],
    after: [{ name: 'count', type: 'int' }],
    says: [/^count changed from long to int/, /version 2 can't read what version 1 wrote/],
  },
  {
    change: 'an enum symbol removed without a default',
    before: [{ name: 'colour', type: enumOf(['red', 'blue']) }],
    after: [{ name: 'colour', type: enumOf(['red']) }],
    says: [/^colour lost the symbol blue/, /keep the symbol/],
  },
  {
    change: 'an enum symbol added that old readers have no default for',
    before: [{ name: 'colour', type: enumOf(['red']) }],
    after: [{ name: 'colour', type: enumOf(['red', 'blue'], 'red') }],
    says: [/^colour got the symbol blue/, /version 1 has no default/],
  },
  {
    change: 'a field that may no longer be null',
    before: [{ name: 'cdn', type: ['null', 'string'], default: null }],
    after: [{ name: 'cdn', type: 'string', default: '' }],
    says: [/^cdn lost the branch null/, /keep the branch/],
  },
  {
    change: 'a field that may now be null',
    before: [{ name: 'cdn', type: 'string' }],
    after: [{ name: 'cdn', type: ['null', 'string'], default: null }],
    says: [/^cdn got the branch null/],
  },
  {
    change: 'a type changed inside a nullable field',
    before: [{ name: 'code', type: ['null', 'string'], default: null }],
    after: [{ name: 'code', type: ['null', 'boolean'], default: null }],
    says: [/^code (lost|got) the branch/],
  },
  {
    change: 'a field renamed without an alias',
    before: [{ name: 'cdn', type: ['null', 'string'], default: null }],
    after: [{ name: 'network', type: ['null', 'string'], default: null }],
    says: [/^cdn is gone and network of the same type has come/, /add "aliases": \["cdn"\] to network/],
  },
  {
    change: 'a field renamed with an alias but no default in the old version',
    before: [{ name: 'cdn', type: 'string' }],
    after: [{ name: 'network', type: 'string', aliases: ['cdn'] }],
    says: [/^cdn was removed but had no default/],
  },
  {
    change: 'a default taken away',
    before: [{ name: 'cdn', type: 'string', default: '' }],
    after: [{ name: 'cdn', type: 'string' }],
    says: [/^cdn changed its default from "" to nothing/, /keep the default/],
  },
  {
    change: 'a default changed',
    before: [{ name: 'rate', type: 'int', default: 1 }],
    after: [{ name: 'rate', type: 'int', default: 1000 }],
    says: [/^rate changed its default from 1 to 1000/, /old events would read differently/],
  },
  {
    change: 'a logical type changed',
    before: [{ name: 'at', type: 'long' }],
    after: [{ name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }],
    says: [/^at changed its logical type from none to timestamp-millis/],
  },
  {
    change: 'a field of a nested record added without a default',
    before: [{ name: 'inner', type: { type: 'array', items: nested([{ name: 'a', type: 'int' }]) } }],
    after: [
      {
        name: 'inner',
        type: {
          type: 'array',
          items: nested([
            { name: 'a', type: 'int' },
            { name: 'b', type: 'int' },
          ]),
        },
      },
    ],
    says: [/^inner\[\]\.b was added without a default/],
  },
  {
    change: 'the values of a map changed',
    before: [{ name: 'numbers', type: { type: 'map', values: 'double' } }],
    after: [{ name: 'numbers', type: { type: 'map', values: 'string' } }],
    says: [/^numbers\{\} changed from double to string/],
  },
  {
    change: 'the size of a fixed changed',
    before: [{ name: 'hash', type: { type: 'fixed', name: 'playhead.test.Hash', size: 16 } }],
    after: [{ name: 'hash', type: { type: 'fixed', name: 'playhead.test.Hash', size: 32 } }],
    says: [/^hash changed its size from 16 to 32 bytes/],
  },
  {
    change: 'a nested type renamed',
    before: [
      { name: 'inner', type: { type: 'record', name: 'playhead.test.Inner', fields: [{ name: 'a', type: 'int' }] } },
    ],
    after: [
      { name: 'inner', type: { type: 'record', name: 'playhead.test.Other', fields: [{ name: 'a', type: 'int' }] } },
    ],
    says: [/^inner was renamed from playhead\.test\.Inner to playhead\.test\.Other/, /keep the name/],
  },
  {
    change: 'an array that became a map',
    before: [{ name: 'tags', type: { type: 'array', items: 'string' } }],
    after: [{ name: 'tags', type: { type: 'map', values: 'string' } }],
    says: [/^tags changed from array to map/],
  },
]

const COMPATIBLE: readonly Omit<Case, 'says'>[] = [
  { change: 'nothing', before: [{ name: 'a', type: 'int' }], after: [{ name: 'a', type: 'int' }] },
  { change: 'a nullable field added', before: [], after: [{ name: 'a', type: ['null', 'int'], default: null }] },
  {
    change: 'a list added with a default',
    before: [],
    after: [{ name: 'a', type: { type: 'array', items: 'int' }, default: [] }],
  },
  {
    change: 'a field with a default removed',
    before: [{ name: 'a', type: ['null', 'int'], default: null }],
    after: [],
  },
  {
    change: 'another order of fields',
    before: [
      { name: 'a', type: 'int' },
      { name: 'b', type: 'string' },
    ],
    after: [
      { name: 'b', type: 'string' },
      { name: 'a', type: 'int' },
    ],
  },
  {
    change: 'a symbol added where all versions have a default',
    before: [{ name: 'colour', type: enumOf(['unknown', 'red'], 'unknown') }],
    after: [{ name: 'colour', type: enumOf(['unknown', 'red', 'blue'], 'unknown') }],
  },
  {
    change: 'a field with a default renamed with an alias',
    before: [{ name: 'cdn', type: ['null', 'string'], default: null }],
    after: [{ name: 'network', type: ['null', 'string'], default: null, aliases: ['cdn'] }],
  },
  {
    change: 'a better comment',
    before: [{ name: 'a', type: 'int', doc: 'x' }],
    after: [{ name: 'a', type: 'int', doc: 'y' }],
  },
]

describe('two versions', () => {
  for (const { change, before, after, says } of INCOMPATIBLE) {
    it(`with ${change} are incompatible, and it is said why`, () => {
      const { compatible, problems } = diffSchemas(event(before), event(after), ['version 1', 'version 2'])
      assert.equal(compatible, false)
      for (const pattern of says)
        assert.ok(
          problems.some((problem) => pattern.test(problem)),
          `${pattern}: ${problems.join('\n')}`,
        )
    })
  }

  for (const { change, before, after } of COMPATIBLE) {
    it(`with ${change} are compatible`, () => {
      assert.deepEqual(diffSchemas(event(before), event(after)).problems, [])
    })
  }

  it('that differ harmlessly are told apart in words', () => {
    const added = diffSchemas(event([]), event([{ name: 'cdn', type: ['null', 'string'], default: null }]))
    assert.deepEqual(added.changes, ['cdn was added, with the default null.'])
    const removed = diffSchemas(event([{ name: 'cdn', type: ['null', 'string'], default: null }]), event([]))
    assert.deepEqual(removed.changes, ['cdn was removed; it had a default.'])
  })

  it('may not move meta from its place', () => {
    const schema = event([{ name: 'a', type: 'int' }])
    const moved = { ...schema, fields: [...schema.fields.slice(1), ...schema.fields.slice(0, 1)] }
    assert.match(diffSchemas(schema, moved).problems.join(), /meta must stay the first field/)
  })

  it('may not change topic or key', () => {
    const elsewhere = event([], { playhead: { topic: 'ingest-events', key: 'profileId' } })
    assert.match(diffSchemas(event([]), elsewhere).problems.join(), /make a new event type/)
  })

  it('may not change a record name', () => {
    assert.match(
      diffSchemas(event([]), event([], { name: 'Other' })).problems.join(),
      /the record was renamed from playhead\.test\.Thing/,
    )
  })
})

it('a candidate is held against every version, not the last alone', () => {
  const versions = [event([{ name: 'cdn', type: 'string', default: '' }]), event([])].map((schema, i) => ({
    subject: 'playhead.test.Thing',
    version: i + 1,
    schema,
  }))
  const candidate = event([{ name: 'cdn', type: 'int', default: 0 }])
  const problems = explainHistory(candidate, versions)
  assert.ok(problems.length > 0)
  assert.ok(
    problems.every((problem) =>
      /^playhead\.test\.Thing: cdn .*version 1|^playhead\.test\.Thing: cdn changed its default/.test(problem),
    ),
    problems.join('\n'),
  )
})
