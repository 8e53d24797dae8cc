/** Opens an address in the browser of whoever sits here, if anybody does. It is a favour: that it fails is no failure. */
import { spawn } from 'node:child_process'
import type { Env } from '../config.ts'

export function canOpenBrowser(env: Env, platform: NodeJS.Platform): boolean {
  if (env.CI !== undefined || env.SSH_CONNECTION !== undefined) return false
  if (platform === 'darwin' || platform === 'win32') return true
  return env.DISPLAY !== undefined || env.WAYLAND_DISPLAY !== undefined
}

export function openBrowser(url: string, platform: NodeJS.Platform): void {
  const [command, ...args] =
    platform === 'darwin' ? ['open', url] : platform === 'win32' ? WINDOWS(url) : ['xdg-open', url]
  const child = spawn(command as string, args, { stdio: 'ignore', detached: true })
  // No such program: the address stands on the screen.
  child.on('error', () => undefined)
  child.unref()
}

/** `start` is a word of the shell; an empty title, or the address would be one. */
const WINDOWS = (url: string) => ['cmd', '/c', 'start', '', url.replaceAll('&', '^&')]
