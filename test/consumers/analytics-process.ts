/** Starts, kills and restarts the analytics role for a test. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface AnalyticsProcess {
  readonly access: { readonly url: string; readonly username: string; readonly password: string }
  kill(): Promise<void>
  /** On the same port and data. */
  start(): Promise<void>
  stop(): Promise<void>
}

export async function startAnalyticsProcess(dataDir: string): Promise<AnalyticsProcess> {
  let child: ChildProcess | undefined
  let port = 0
  const start = async () => {
    const path = fileURLToPath(new URL('./analytics-child.ts', import.meta.url))
    const started = fork(path, [dataDir, String(port)], { execArgv: ['--import', 'tsx'] })
    child = started
    const failed = once(started, 'exit').then(([code]) => {
      throw new Error(`the analytics process ended (${code}) before it was ready`)
    })
    const [message] = (await Promise.race([once(started, 'message'), failed])) as [{ port: number }]
    failed.catch(() => undefined)
    port = message.port
  }
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  await start()
  return {
    access: { url: `http://127.0.0.1:${port}`, username: 'writer', password: 'writer-secret' },
    start,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}
