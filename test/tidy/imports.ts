/** Reads every source's imports and says which of them point the wrong way. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOMS, SOLE_IMPORTERS } from './rooms.ts'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const IMPORT = /^\s*(?:import|export)\s(?:[^'"`]*?\sfrom\s*)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string
  readonly text: string
}

export function sourcesOf(rooms: readonly string[]): SourceFile[] {
  return rooms.flatMap((room) => {
    let paths: string[]
    try {
      paths = readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
    return paths
      .filter((p) => p.endsWith('.ts') && !p.includes('node_modules'))
      .map((p) => ({ path: `${room}/${p.split(sep).join('/')}`, text: readFileSync(join(ROOT, room, p), 'utf8') }))
  })
}

export function wrongImports(sources: readonly SourceFile[]): string[] {
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(IMPORT)].flatMap((match) => {
      const target = match[1] ?? match[2] ?? ''
      const complaint = target.startsWith('.') ? wrongRoom(path, target) : wrongPackage(path, target)
      return complaint === undefined ? [] : [complaint]
    }),
  )
}

function wrongRoom(path: string, target: string): string | undefined {
  const [from = ''] = path.split('/')
  const [to = ''] = normalize(join(dirname(path), target)).split(sep)
  const allowed = ROOMS[from]
  if (allowed === undefined || to === from || allowed.includes(to)) return undefined
  const may = allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')
  return `${path} imports ${to}/ (${target}); ${from}/ may import ${may}`
}

function wrongPackage(path: string, target: string): string | undefined {
  const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : target.split('/')[0]!
  const sole = SOLE_IMPORTERS[name]
  if (sole === undefined || sole === path) return undefined
  return `${path} imports ${target}; only ${sole} may`
}
