/** What the documents tell a user to type: the README's first steps are typed, every other command is at least read. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseArgs } from '../../cli/args.ts'
import { COMMANDS } from '../../cli/commands.ts'
import { freePorts, start, tempFolder } from './playhead.ts'

const HOME = fileURLToPath(new URL('../..', import.meta.url))
const DOCUMENTS = ['README.md', ...readdirSync(join(HOME, 'docs')).map((name) => join('docs', name))]
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readFileSync(join(HOME, path), 'utf8') }))

test('the README\'s "Try it" does what it says, word for word', async (t) => {
  const data = join(tempFolder(t), 'data')
  const env = freePorts(data)
  const run = start(t, env, 'up')
  const urlOf = async (role: string) => {
    const line = await run.line((l) => l.includes(`"role":"${role}"`) && l.includes('"msg":"ready"'), `${role} ready`)
    return (JSON.parse(line) as { url: string }).url
  }
  const [clickhouse, api] = [await urlOf('analytics'), await urlOf('api')]
  const [, block] = /## Try it\n[^`]*`npm start`[^#]*?```sh\n(.*?)```/s.exec(DOCUMENTS[0]!.text) ?? []
  assert.ok(block, 'the README has no block of commands under "Try it"')
  // A row may take the two seconds that the README promises.
  const script = block
    .replaceAll('./data/', `${data}/`)
    .replaceAll('http://127.0.0.1:8080', api)
    .replaceAll('http://127.0.0.1:8123', clickhouse)
    .replace('# Within two seconds', 'sleep 2\n#')
  const { out, err } = await bash(script, { ...env, PLAYHEAD_PORT: new URL(api).port })
  assert.match(out, /"stored"|"accepted"/, 'the API did not answer what became of the event')
  assert.match(out, /type: +Heartbeat\nprofile_id: +ann/, 'ClickHouse does not show the row')
  assert.match(out, /"values":\{"views":1/, 'the view is not in the overview')
  assert.match(out, /"concurrent":1/, 'ann is not in the live audience')
  assert.match(out, /"profileId":"ann","titleId":"film-1","positionMs":61000/, 'the resume position is not answered')
  assert.match(out, /playback-events\/\d+@0 Heartbeat profileId=ann/, '`log tail` does not show the event')
  assert.match(out, /Usage: playhead COMMAND/, '`help` does not help')
  assert.doesNotMatch(err, /Warning/)
})

test('every playhead command in the documents exists, and has the flags it is given', async () => {
  const typed = DOCUMENTS.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:`playhead|npm run playhead --) ([^`\n]+)/g)].map(([, words]) => ({ path, words: words! })),
  )
  assert.ok(typed.length > 10)
  for (const { path, words } of typed) {
    const [first = '', second = '', ...rest] = words
      .replace(/ +#.*/, '')
      .replace(/'[^']*'/g, 'X')
      .trim()
      .split(/ +/)
    if (['help', '--help', 'WORDS', 'COMMAND'].includes(first)) continue
    const pair = COMMANDS[`${first} ${second}`]
    const entry = pair ?? COMMANDS[first]
    assert.ok(entry, `${path} says \`playhead ${words}\`: there is no such command`)
    const given = pair === undefined ? [second, ...rest].filter((word) => word !== '') : rest
    // A command may be named without what it works on; a flag that is written must be right.
    const flags = given.filter((word) => word.startsWith('-'))
    if (flags.length > 0) parseArgs(await entry.load(), given)
  }
})

function bash(script: string, env: Readonly<Record<string, string>>): Promise<{ out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const options = { cwd: HOME, env: { ...process.env, ...env }, timeout: 90_000, maxBuffer: 1e7 }
    execFile('bash', ['-euo', 'pipefail', '-c', script], options, (error, out, err) => {
      if (error === null) resolve({ out, err })
      else reject(new Error(`${error.message}\n${out}\n${err}`))
    })
  })
}
