/** What the demo says when it runs. Keys go in the fragment, which browsers send to nobody. */
import type { Fault } from '../../simulator/index.ts'
import type { KeyFile } from '../key-file.ts'

export interface DemoUrls {
  readonly dashboard: string
  /** Undefined: there is no token to play with. */
  readonly player: string | undefined
}

export function demoUrls(
  api: string,
  keys: Pick<KeyFile, 'data' | 'publishable'>,
  token: string | undefined,
): DemoUrls {
  const fragment = (parts: Readonly<Record<string, string>>) => new URLSearchParams(parts).toString()
  return {
    dashboard: `${api}/dashboard/#${fragment({ key: keys.data })}`,
    player: token === undefined ? undefined : `${api}/demo/#${fragment({ key: keys.data, token, profile: 'you' })}`,
  }
}

type Next = Pick<Fault, 'cdn' | 'atMs' | 'forMs'> | undefined

export function dashboardText({ dashboard }: DemoUrls, keysFile: string, next: Next): string {
  return `
  dashboard  ${dashboard}
  keys       ${keysFile}
${next === undefined ? '' : faultText(next)}
  Ctrl-C ends it all.

`
}

function faultText({ cdn, atMs, forMs }: NonNullable<Next>): string {
  const at = new Date(atMs).toTimeString().slice(0, 5)
  const minutes = Math.round(forMs / 60_000)
  return `
  At ${at} the CDN ${cdn} goes bad for ${minutes} minutes: watch startup, failures and stalls by CDN.`
}

export function playerText({ player }: DemoUrls, hasClip: boolean): string {
  if (!hasClip) return '  player     left out: there is no clip, see above\n\n'
  return `  player     ${player ?? 'left out: tokens are made elsewhere (PLAYHEAD_TOKEN_JWKS)'}\n\n`
}
