/**
 * Migrations: which numbered SQL ran where. They are additive and idempotent (IF NOT EXISTS), so two processes that
 * start at once may both run one; a file that changed after it ran is refused.
 */
import { basename } from 'node:path'
import { StoreRefused } from '../errors.ts'
import type { ClickHouse } from './clickhouse.ts'
import { identifier, type Migration, readMigrations } from './sql.ts'

export async function migrate(
  store: ClickHouse,
  source: string | URL,
  database: string,
  values: Record<string, string>,
): Promise<readonly string[]> {
  const folder = typeof source === 'string' ? source : basename(source.pathname)
  const base = identifier(store.database)
  await store.command(`CREATE DATABASE IF NOT EXISTS ${base}`)
  await store.command(`CREATE DATABASE IF NOT EXISTS ${identifier(database)}`)
  await store.command(
    `CREATE TABLE IF NOT EXISTS ${base}.migrations
     (database String, folder String, number UInt32, name String, checksum String, applied_at DateTime DEFAULT now())
     ENGINE = MergeTree ORDER BY (database, folder, number)
     COMMENT 'Which numbered SQL ran in which database'`,
  )
  const done = new Map(
    (
      await store.query<{ name: string; checksum: string }>(
        `SELECT name, checksum FROM ${base}.migrations WHERE database = {database:String} AND folder = {folder:String}`,
        { database, folder },
      )
    ).map((row) => [row.name, row.checksum]),
  )
  const ran: string[] = []
  for (const migration of await readMigrations(source, { ...values, db: identifier(database), base })) {
    const checksum = done.get(migration.name)
    if (checksum === undefined) {
      await run(store, database, folder, migration)
      ran.push(migration.name)
    } else if (checksum !== migration.checksum) {
      throw new StoreRefused(
        `${folder}/${migration.name} was changed after it ran in ${database}: add a new numbered file instead`,
      )
    }
  }
  return ran
}

async function run(store: ClickHouse, database: string, folder: string, migration: Migration): Promise<void> {
  for (const statement of migration.statements) await store.command(statement)
  const { number, name, checksum } = migration
  const values = [database, folder, name, checksum].map((v) => `'${v.replace(/[\\']/g, '')}'`)
  const [db, dir, file, sum] = values
  await store.command(
    `INSERT INTO ${identifier(store.database)}.migrations (database, folder, number, name, checksum)
     SELECT ${db}, ${dir}, ${number}, ${file}, ${sum}`,
  )
}
