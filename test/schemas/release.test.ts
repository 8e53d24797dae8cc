import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { checkSchemas } from '../../schemas/tools/check.ts'
import { generate } from '../../schemas/tools/generate.ts'
import { release } from '../../schemas/tools/release.ts'
import { diffReport } from '../../schemas/tools/report.ts'
import { SCHEMAS_DIR } from '../../schemas/tools/sources.ts'
import { schemasCopy } from './support.ts'

const PAUSED = 'playback/PlaybackPaused.avsc'

function edit(dir: string, file: string, from: string, to: string): void {
  const path = join(dir, file)
  const text = readFileSync(path, 'utf8')
  assert.ok(text.includes(from), `${file} has no ${from}`)
  writeFileSync(path, text.replace(from, to))
}

const ADDED =
  '{ "name": "mood", "type": ["null", "string"], "doc": "How it feels.", "default": null },\n    { "name": "context"'

describe('schemas:check', () => {
  it('finds nothing wrong with what is committed', () => {
    assert.deepEqual(checkSchemas(SCHEMAS_DIR), [])
  })

  it('asks for a release when a source changed, and for nothing after it', (t) => {
    const dir = schemasCopy(t)
    edit(dir, PAUSED, '{ "name": "context"', ADDED)
    assert.match(
      checkSchemas(dir).join('\n'),
      /PlaybackPaused\.avsc is not what was last released: npm run schemas:release/,
    )
    const added = release(dir)
    assert.deepEqual(
      added.map(({ subject, version }) => [subject, version]),
      [['playhead.playback.PlaybackPaused', 2]],
    )
    generate(dir)
    assert.deepEqual(checkSchemas(dir), [])
    assert.match(readFileSync(join(dir, 'generated/types.ts'), 'utf8'), /readonly mood: string \| null/)
  })

  it('releases nothing for a better comment', (t) => {
    const dir = schemasCopy(t)
    edit(dir, PAUSED, 'Playback was paused.', 'Someone paused.')
    assert.deepEqual(release(dir), [])
  })

  it('says why a change breaks a released version, and nothing of it is released', (t) => {
    const dir = schemasCopy(t)
    edit(dir, PAUSED, '"type": "int", "doc": "Counts the session', '"type": "string", "doc": "Counts the session')
    const why = /sequence changed from int to string, so version 1 and the new one can't read each other/
    assert.match(checkSchemas(dir).join('\n'), why)
    assert.throws(() => release(dir), why)
    assert.equal(readFileSync(join(dir, 'released/index.json'), 'utf8').includes('PlaybackPaused.v2'), false)
  })

  it('finds a released version that was edited, one without an index line, and a missing source', (t) => {
    const dir = schemasCopy(t)
    edit(dir, 'released/playback/Heartbeat.v1.avsc', '"playbackRatePermille"', '"playbackSpeed"')
    writeFileSync(join(dir, 'released/playback/Stray.v1.avsc'), '{}')
    rmSync(join(dir, PAUSED))
    const problems = checkSchemas(dir).join('\n')
    assert.match(problems, /released\/playback\/Heartbeat\.v1\.avsc was changed after its release/)
    assert.match(problems, /Stray\.v1\.avsc is not in index\.json/)
    assert.match(problems, /playhead\.playback\.PlaybackPaused was released but has no source/)
  })

  it('finds generated files that are out of date', (t) => {
    const dir = schemasCopy(t)
    writeFileSync(join(dir, 'generated/routes.ts'), '')
    assert.deepEqual(checkSchemas(dir), ['schemas/generated/routes.ts is out of date: npm run schemas:generate.'])
    assert.deepEqual(generate(dir), ['generated/routes.ts'])
    assert.deepEqual(generate(dir), [])
  })

  const RULES: readonly [string, string, string, RegExp][] = [
    [
      'a union of two types',
      '["null", "string"], "doc": "Such as user',
      '["null", "string", "int"], "doc": "Such as user',
      /a union is/,
    ],
    [
      'a missing default',
      '"doc": "Such as user, background, ad, system.", "default": null',
      '"doc": "Such as user."',
      /its default must be null/,
    ],
    ['a missing comment', '"doc": "Playback was paused.",', '', /needs a doc/],
    ['an unknown topic', '"topic": "playback-events"', '"topic": "somewhere"', /playhead\.topic/],
    ['a key that is no field', '"key": "profileId"', '"key": "nobody"', /playhead\.key/],
    ['a field named type', '"name": "reason"', '"name": "type"', /named type/],
    ['a time that is none', '"name": "reason"', '"name": "pausedAt"', /timestamp-millis/],
    ['a unit that is not counted', '"name": "reason"', '"name": "pausedMs"', /use int or long/],
    ['a wrong namespace', 'playhead.playback', 'playhead.other', /namespace must be playhead\.playback/],
    ['a name unlike its file', '"name": "PlaybackPaused"', '"name": "Paused"', /named after/],
  ]
  for (const [rule, from, to, says] of RULES) {
    it(`refuses ${rule}`, (t) => {
      const dir = schemasCopy(t)
      edit(dir, PAUSED, from, to)
      assert.match(checkSchemas(dir).join('\n'), says)
    })
  }
})

describe('schemas diff', () => {
  it('is empty when nothing changed, and names what did', (t) => {
    const dir = schemasCopy(t)
    assert.deepEqual(diffReport({ dir }), [])
    edit(dir, PAUSED, '{ "name": "context"', ADDED)
    const [report] = diffReport({ dir })
    assert.equal(report?.subject, 'playhead.playback.PlaybackPaused')
    assert.deepEqual(report?.changes, ['mood was added, with the default null.'])
    assert.equal(report?.compatible, true)
  })

  it('takes an event type or a subject, a version or another schema', () => {
    const [byType] = diffReport({ subject: 'Heartbeat', against: 2 })
    assert.deepEqual(byType, {
      subject: 'playhead.playback.Heartbeat',
      against: 'version 2',
      compatible: true,
      problems: [],
      changes: [],
    })
    const schema = JSON.parse(readFileSync(join(SCHEMAS_DIR, 'released/playback/SeekEnded.v1.avsc'), 'utf8'))
    const [other] = diffReport({ subject: 'playhead.playback.Heartbeat', against: { name: 'SeekEnded.avsc', schema } })
    assert.equal(other?.compatible, false)
    assert.throws(() => diffReport({ subject: 'Hartbeat' }), /did you mean Heartbeat/)
    assert.throws(() => diffReport({ subject: 'Heartbeat', against: 99 }), /no version 99; it has 1 to 2/)
  })
})
