/** `npm run schemas:generate`: writes schemas/generated from the sources and the released versions. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readReleased, readSources, SCHEMAS_DIR } from './sources.ts'
import { releasedModule, routesModule, sourcesModule, typesModule } from './typescript.ts'

/** File name → text of every generated file. */
export function generated(dir: string): Record<string, string> {
  const sources = readSources(dir)
  const events = sources.events.map(({ schema }) => schema)
  const shared = sources.shared.map(({ schema }) => schema)
  return {
    'types.ts': typesModule(events, shared),
    'routes.ts': routesModule(events),
    'sources.ts': sourcesModule(events, shared),
    'released.ts': releasedModule(readReleased(dir)),
  }
}

/** Generated files whose text on disk is not what the sources mean. */
export function staleFiles(dir: string): string[] {
  return Object.entries(generated(dir))
    .filter(([name, text]) => {
      const path = join(dir, 'generated', name)
      return !existsSync(path) || readFileSync(path, 'utf8') !== text
    })
    .map(([name]) => `generated/${name}`)
}

/** Answers the files that changed. */
export function generate(dir: string): string[] {
  const stale = staleFiles(dir)
  const texts = generated(dir)
  mkdirSync(join(dir, 'generated'), { recursive: true })
  for (const file of stale) writeFileSync(join(dir, file), texts[file.slice('generated/'.length)] ?? '')
  return stale
}

if (process.argv[1] === import.meta.filename) {
  const written = generate(SCHEMAS_DIR)
  console.log(written.length > 0 ? `wrote ${written.join(', ')}` : 'schemas/generated is up to date')
}
