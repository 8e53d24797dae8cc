/** What a person sees when everything is up: where it is, which keys to use, what to try. The lines can be pasted. */
import { ANALYTICS_READER } from './engines.ts'
import type { KeyFile } from './key-file.ts'
import type { Config } from './settings.ts'
import type { Facts } from './supervisor.ts'

export interface Where {
  readonly facts: ReadonlyMap<string, Facts>
  readonly config: Config
  readonly keys: KeyFile
  readonly keysFile: string
  readonly command: string
}

const HEARTBEAT = JSON.stringify({
  events: [
    { type: 'Heartbeat', profileId: 'ann', sessionId: 's-1', titleId: 'big-buck-bunny', sequence: 0, positionMs: 4200 },
  ],
})

export function welcome({ facts, config, keys, keysFile, command }: Where): string {
  const api = String(facts.get('api')?.url)
  const clickhouse =
    facts.get('analytics')?.url ?? (config.analytics.engine === 'clickhouse' ? config.analytics.url : '')
  return `
  Playhead is up.

    API           ${api}
    ClickHouse    ${clickhouse}
    keys          ${keysFile}
                  publishable: for players · data: to read · admin: everything

  Send an event:

curl ${api}/v1/events -H 'Authorization: Bearer ${keys.publishable}' \\
  -H 'Content-Type: application/json' -d '${HEARTBEAT}'

  See it in the log, and a moment later in SQL:

${command} log tail --from start
${sqlLine(String(clickhouse), config, keys)}

  \`${command} status\` shows how it goes. Ctrl-C ends it.

`
}

function sqlLine(url: string, config: Config, keys: KeyFile): string {
  const sql = "'SELECT received_at, type, profile_id, payload FROM playhead.events ORDER BY received_at DESC LIMIT 5'"
  if (config.analytics.engine === 'embedded') return `curl ${url} -u ${ANALYTICS_READER}:${keys.data} -d ${sql}`
  return `curl ${url} -u USER:PASSWORD -d ${sql.replace('playhead.', `${config.analytics.database}.`)}`
}
