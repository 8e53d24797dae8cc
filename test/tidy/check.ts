/**
 * `npm run check`: types, lint and format, unused code, import directions, schema compatibility, generated files.
 * All of them run, at once where they can, and each says what it found; the exit code is 1 if any of them did.
 */
import { spawn } from 'node:child_process'
import { ROOT, sourcesOf, wrongImports } from './imports.ts'
import { ROOMS } from './rooms.ts'

interface Outcome {
  readonly name: string
  readonly ok: boolean
  readonly output: string
  readonly seconds: number
}

function tool(name: string, command: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const began = performance.now()
    let output = ''
    const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, FORCE_COLOR: '0' } })
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const end = (ok: boolean) => resolve({ name, ok, output, seconds: (performance.now() - began) / 1000 })
    child.on('error', (error) => {
      output += String(error)
      end(false)
    })
    child.on('close', (code) => end(code === 0))
  })
}

function imports(): Outcome {
  const began = performance.now()
  const wrong = wrongImports(sourcesOf(Object.keys(ROOMS)))
  return {
    name: 'imports',
    ok: wrong.length === 0,
    output: wrong.join('\n'),
    seconds: (performance.now() - began) / 1000,
  }
}

const bin = (name: string) => `${ROOT}node_modules/.bin/${name}`
const outcomes = await Promise.all([
  tool('types', bin('tsc'), ['-p', 'tsconfig.json', '--noEmit']),
  tool('types of what browsers run', bin('tsc'), ['-p', 'tsconfig.browser.json', '--noEmit']),
  tool('lint and format', bin('biome'), ['check', '--error-on-warnings', '.']),
  tool('unused code', bin('knip'), ['--no-progress']),
  tool('schemas', process.execPath, ['--import', 'tsx', 'schemas/tools/check.ts']),
  imports(),
])
for (const { name, ok, output, seconds } of outcomes) {
  console.log(`${ok ? '✓' : '✗'} ${name} (${seconds.toFixed(1)} s)`)
  if (!ok) console.log(output.trimEnd())
}
process.exitCode = outcomes.every((o) => o.ok) ? 0 : 1
