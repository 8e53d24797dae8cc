/** The formats of an export, and how one sees that a file is whole. */
import { open } from 'node:fs/promises'
import type { DumpFormat } from '../../stores/clickhouse/dump.ts'
import { UsageError } from '../args.ts'

export type ExportFormat = 'parquet' | 'csv' | 'ndjson'

export const DUMP_FORMATS: Readonly<Record<ExportFormat, DumpFormat>> = {
  parquet: 'Parquet',
  csv: 'CSVWithNames',
  ndjson: 'JSONEachRow',
}

export function exportFormat(text: string | undefined, command: string): ExportFormat {
  const format = text ?? 'parquet'
  if (format === 'parquet' || format === 'csv' || format === 'ndjson') return format
  throw new UsageError(`--format: "${format}" is neither parquet, csv nor ndjson.`, command)
}

const PARQUET_MAGIC = 'PAR1'

/** A Parquet file ends as it begins, and its footer comes last; the others end with a line. */
export async function isWhole(path: string, format: ExportFormat): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const ending = format === 'parquet' ? PARQUET_MAGIC : '\n'
    if (size < ending.length) return false
    const { buffer } = await file.read(Buffer.alloc(ending.length), 0, ending.length, size - ending.length)
    return buffer.toString('latin1') === ending
  } finally {
    await file.close()
  }
}
