import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CommandShape, parseArgs, UsageError } from '../../cli/args.ts'
import { columns, helpOf, table } from '../../cli/command.ts'
import { COMMANDS } from '../../cli/commands.ts'

const SHAPE: CommandShape = {
  name: 'log tail',
  positionals: [{ name: 'FROM' }, { name: 'TO', optional: true }],
  flags: [
    { name: 'json', help: 'JSON.' },
    { name: 'topic', value: 'TOPIC', help: 'Only this.', many: true },
    { name: 'count', value: 'N', help: 'How many.' },
  ],
}

const wrong = (words: readonly string[], message: RegExp) =>
  assert.throws(
    () => parseArgs(SHAPE, words).integer('count', 0),
    (error: Error) => error instanceof UsageError && message.test(error.message),
  )

test('switches, values with a space or an equals sign, repeated flags and positionals are told apart', () => {
  const args = parseArgs(SHAPE, ['a', '--json', '--topic=x', '--topic', 'y', '--count', '3', '--', '--b'])
  assert.deepEqual([args.positional('FROM'), args.positional('TO')], ['a', '--b'])
  assert.ok(args.has('json'))
  assert.deepEqual(args.values('topic'), ['x', 'y'])
  assert.equal(args.integer('count', 1), 3)
  assert.equal(parseArgs(SHAPE, ['a']).integer('count', 1), 1)
})

test('what is wrong is said with the nearest right word', () => {
  wrong(['a', '--jsno'], /has no flag --jsno\. Did you mean --json\?/)
  wrong(['a', '--zzzzzz'], /has no flag --zzzzzz\.$/)
  wrong([], /wants FROM/)
  wrong(['a', 'b', 'c'], /"c"/)
  wrong(['a', '--json=yes'], /takes no value/)
  wrong(['a', '--count'], /--count N/)
  wrong(['a', '--count', 'many'], /"many" is no whole number/)
  wrong(['a', '--json', '--json'], /twice/)
})

test('help is answered whatever else is missing', () => {
  assert.ok(parseArgs(SHAPE, ['--help']).has('help'))
  assert.ok(parseArgs(SHAPE, ['-h']).has('help'))
})

test('every command loads, bears the name it is called by, and explains itself', async () => {
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const command = await entry.load()
    assert.equal(command.name, name)
    assert.ok(entry.summary.endsWith('.'), name)
    const help = helpOf(command, entry.summary)
    assert.ok(help.startsWith(`${entry.summary}\n\nUsage: playhead ${name}`), name)
    for (const example of command.examples ?? [])
      assert.match(example, new RegExp(`playhead ${name.split(' ')[0]}`), name)
  }
})

test('tables are aligned, numbers to the right', () => {
  assert.equal(
    table(
      ['A', 'N'],
      [
        ['long', '1'],
        ['x', '100'],
      ],
    ),
    'A       N\nlong    1\nx     100',
  )
  assert.equal(
    columns([
      ['a', 'x'],
      ['bcd', 'y'],
    ]),
    '  a    x\n  bcd  y',
  )
})
