/** The numbered SQL of stores/clickhouse/sql/, read from disk and filled in; and names that may stand in SQL. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { StoreRefused } from '../errors.ts'

export interface Migration {
  readonly number: number
  readonly name: string
  readonly statements: readonly string[]
  readonly checksum: string
}

const NAME = /^[a-z][a-z0-9_]{0,120}$/

/** Identifiers can't be parameters of every statement, so they are checked and quoted instead. */
export function identifier(name: string): string {
  if (!NAME.test(name)) throw new StoreRefused(`"${name}" can't be a database or table name: use a-z, 0-9 and _`)
  return `\`${name}\``
}

export function qualified(table: string): string {
  return table.split('.').map(identifier).join('.')
}

/** `folder`: one of sql/, or a folder of another's own. */
export async function readMigrations(
  folder: string | URL,
  values: Record<string, string>,
): Promise<readonly Migration[]> {
  const home = typeof folder === 'string' ? new URL(`./sql/${folder}/`, import.meta.url) : folder
  const files = (await readdir(home)).filter((f) => /^\d{4}_.+\.sql$/.test(f)).sort()
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(new URL(file, home), 'utf8')
      return {
        number: Number(file.slice(0, 4)),
        name: file,
        statements: statementsOf(fill(text, values, file)),
        checksum: createHash('sha256').update(text).digest('hex'),
      }
    }),
  )
}

function fill(text: string, values: Record<string, string>, file: string): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`${file} wants {{${name}}}`)
    return value
  })
}

/** Our own files end each statement with a semicolon at the end of a line, and only there. */
function statementsOf(text: string): readonly string[] {
  return text
    .split(/;\s*\n/)
    .map((s) => s.trim().replace(/;$/, ''))
    .filter((s) => s.length > 0)
}
