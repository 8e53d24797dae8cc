// The build's last step: what the compiler doesn't copy into dist/.
import { cpSync } from 'node:fs'

const root = new URL('../', import.meta.url)
for (const folder of ['stores/clickhouse/sql']) {
  cpSync(new URL(folder, root), new URL(`dist/${folder}`, root), { recursive: true })
}
