/**
 * Results of ClickHouse as bytes of a format, for files: Parquet, CSV, NDJSON. The server finishes a query before it
 * answers, so that an error is an error and never the end of a file.
 */
import type { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { type ClickHouseOptions, tlsOf } from './clickhouse.ts'
import { storeErrorOf } from './errors.ts'

export type DumpFormat = 'Parquet' | 'CSVWithNames' | 'JSONEachRow'

/** Whoever waits gives up after this long without a byte. */
const PATIENCE_MS = 600_000

const SETTINGS = [
  'output_format_parquet_string_as_string = 1',
  "output_format_parquet_compression_method = 'zstd'",
  // A row group is held in memory until it is written; half of the machine is left to who writes.
  'output_format_parquet_row_group_size = 200000',
  'output_format_parquet_row_group_size_bytes = 134217728',
  'output_format_parquet_parallel_encoding = 0',
  'max_threads = 1',
  'max_block_size = 8192',
  'output_format_json_quote_64bit_integers = 0',
  "date_time_output_format = 'iso'",
].join(', ')

export class ClickHouseDump {
  readonly #client: ClickHouseClient
  readonly #where: string

  constructor({ url, username, password, tls }: ClickHouseOptions) {
    this.#where = new URL(url).host
    this.#client = createClient({
      url,
      username,
      password,
      request_timeout: PATIENCE_MS,
      max_open_connections: 1,
      keep_alive: { idle_socket_ttl: 2_500 },
      log: { level: ClickHouseLogLevel.OFF },
      ...tlsOf(tls),
    })
  }

  /** Parameters are typed in the text and never spliced into it. The stream must be read to its end, or destroyed. */
  async stream(
    sql: string,
    parameters: Readonly<Record<string, unknown>>,
    format: DumpFormat,
    signal: AbortSignal,
  ): Promise<Readable> {
    try {
      const answer = await this.#client.exec({
        query: `${sql} SETTINGS ${SETTINGS} FORMAT ${format}`,
        query_params: { ...parameters },
        clickhouse_settings: { wait_end_of_query: 1 },
        abort_signal: signal,
      })
      return answer.stream
    } catch (error) {
      throw storeErrorOf(error, 'export', this.#where)
    }
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}
