/** `npm run docs:tables`: writes docs/tables.md from the tables as the migrations make them. */
import { writeFile } from 'node:fs/promises'
import { startEngine } from './qoe-support.ts'
import { tablesDoc } from './tables-doc.ts'

const engine = await startEngine()
try {
  await writeFile(new URL('../../docs/tables.md', import.meta.url), await tablesDoc(engine.store))
} finally {
  await engine.stop()
}
