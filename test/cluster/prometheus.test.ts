import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url))

const promtool = (...args: readonly string[]) =>
  new Promise<{ code: number; said: string }>((resolve, reject) => {
    execFile('promtool', args, { cwd: FOLDER, timeout: 60_000 }, (error, out, err) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ code: Number(error?.code ?? 0), said: out + err })
    })
  })

test("Prometheus' own tool reads the alert rules, and they fire on what they say and on nothing else", async () => {
  const checked = await promtool('check', 'rules', 'rules.yml')
  assert.equal(checked.code, 0, checked.said)
  const tested = await promtool('test', 'rules', 'rules.test.yml')
  assert.equal(tested.code, 0, tested.said)
})

test("and it reads the scrape configuration, but for the key's file, which the deployment brings", async () => {
  const { said } = await promtool('check', 'config', '--syntax-only', 'prometheus.yml')
  assert.match(said, /SUCCESS/)
})
