/**
 * Which settings a request may bring, and all that are set for it. Every query runs on a connection of its own, fresh
 * from the engine, so nothing that one request sets can act in the next; only a writer's session keeps its own.
 */
import { refuse } from './errors.ts'
import type { Role } from './gate.ts'
import { INSERT_BLOCK_ROWS, type QueryLimits } from './limits.ts'

/** Parameters of the HTTP interface itself: not settings of the engine. */
const INTERFACE = new Set([
  ...[
    'query',
    'database',
    'default_format',
    'query_id',
    'session_id',
    'session_timeout',
    'session_check',
    'user',
    'password',
  ],
  ...['quota_key', 'role', 'compress', 'decompress', 'stacktrace', 'wait_end_of_query', 'buffer_size', 'close_session'],
  ...[
    'send_progress_in_http_headers',
    'enable_http_compression',
    'client_protocol_version',
    'readonly',
    'log_comment',
    'profile',
  ],
  ...[
    'cancel_http_readonly_queries_on_client_close',
    'async_insert',
    'wait_for_async_insert',
    'send_timeout',
    'receive_timeout',
  ],
])

const HTTP_ONLY =
  /^(http_|send_logs_|network_|async_insert_|async_query_|add_http_cors_header|output_format_parallel_formatting$)/

/** These only ever get smaller than the role's own limit. */
const LOWERABLE: Readonly<Record<string, keyof QueryLimits>> = {
  max_execution_time: 'executionSeconds',
  max_memory_usage: 'memoryBytes',
  max_result_rows: 'resultRows',
  max_result_bytes: 'resultBytes',
  max_threads: 'threads',
}

const READER_ALLOWED = new Set([
  ...[
    'join_use_nulls',
    'extremes',
    'session_timezone',
    'use_client_time_zone',
    'final',
    'union_default_mode',
    'result_overflow_mode',
  ],
  ...[
    'aggregate_functions_null_for_empty',
    'cast_keep_nullable',
    'prefer_column_name_to_alias',
    'date_time_output_format',
  ],
  ...[
    'max_rows_to_read',
    'max_bytes_to_read',
    'max_block_size',
    'max_rows_to_group_by',
    'max_subquery_depth',
    'limit',
    'offset',
  ],
  ...[
    'format_csv_delimiter',
    'format_csv_null_representation',
    'format_tsv_null_representation',
    'bool_true_representation',
  ],
  ...[
    'bool_false_representation',
    'transform_null_in',
    'distributed_product_mode',
    'timeout_before_checking_execution_speed',
  ],
])
const READER_ALLOWED_PATTERN = /^output_format_(?!schema)[a-z0-9_]+$/

/** What a writer may not send either: a file, a place on the network, SQL in disguise, another grammar, a lifted guard. */
const SETTINGS_REFUSED =
  /^(format_schema.*|output_format_schema|format_template_.*|.*(_path|_file|_url|_filter|_filters)|dialect|readonly|allow_ddl|allow_introspection_functions|.*_named_collection.*|allow_experimental_ai_functions|s3_.*|hdfs_.*|azure_.*|storage_file_.*|rename_files_after_processing|log_comment|profile|implicit_select|default_(temporary_)?table_engine|.*values_(interpret_expressions|deduce_templates_of_expressions)|input_format_parallel_parsing|async_insert|ai_.*|default_.*_provider)$/

/** Held at 0 here, so that one insert is one block and is in its table when it is acknowledged; to say so is no offence. */
const HELD_AT_ZERO = new Set(['async_insert', 'input_format_parallel_parsing'])

export function mayNotBeSet(name: string, value: string): boolean {
  return SETTINGS_REFUSED.test(name) && !(HELD_AT_ZERO.has(name) && value === '0')
}

export type Settings = ReadonlyMap<string, string>

/** The settings of a request's URL that this role may set, limits lowered only. Throws for what a writer may not set. */
export function readSettings(query: URLSearchParams, role: Role, limits: QueryLimits): Settings {
  const settings = new Map<string, string>()
  for (const [name, value] of query) {
    if (INTERFACE.has(name) || HTTP_ONLY.test(name) || name.startsWith('param_')) continue
    if (!/^[a-z_][a-z0-9_]{0,127}$/i.test(name)) {
      if (role === 'reader') continue
      throw refuse('UNKNOWN_SETTING', `Unknown setting ${JSON.stringify(name.slice(0, 64))}`)
    }
    const limit = LOWERABLE[name]
    if (limit !== undefined) {
      settings.set(name, lower(value, limits[limit]))
    } else if (role === 'reader') {
      if (READER_ALLOWED.has(name) || READER_ALLOWED_PATTERN.test(name)) settings.set(name, value)
    } else if (mayNotBeSet(name, value)) {
      throw refuse('ACCESS_DENIED', `Setting ${name} can't be set over this interface`)
    } else {
      settings.set(name, value)
    }
  }
  return settings
}

/** 0 means "no limit" to ClickHouse, so it is the role's limit here; nonsense too. */
function lower(value: string, limit: number): string {
  const wanted = Number(value)
  return String(Number.isFinite(wanted) && wanted > 0 ? Math.min(wanted, limit) : limit)
}

/** What every connection starts with. `readonly` comes last, behind it nothing can be set. */
export function baseSettings(limits: QueryLimits, id: string): Settings {
  return new Map([
    ['log_comment', id],
    ['max_execution_time', String(limits.executionSeconds)],
    ['max_memory_usage', String(limits.memoryBytes)],
    ['max_result_rows', String(limits.resultRows)],
    ['max_result_bytes', String(limits.resultBytes)],
    ['result_overflow_mode', 'throw'],
    ['max_threads', String(limits.threads)],
    ['os_threads_nice_value_query', String(limits.nice)],
    ['implicit_select', '0'],
    ['allow_introspection_functions', '0'],
    // One insert is one block, read in order by one thread, and is in its table when it is acknowledged.
    ['async_insert', '0'],
    ['input_format_parallel_parsing', '0'],
    ['max_insert_block_size', String(INSERT_BLOCK_ROWS)],
    ['max_insert_threads', '1'],
    // Values would run expressions found in data, past the gate.
    ['input_format_values_interpret_expressions', '0'],
    ['input_format_values_deduce_templates_of_expressions', '0'],
  ])
}

/** A string literal of ClickHouse's grammar for any text. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`
}

export function setStatement(settings: Settings): string {
  return settings.size === 0
    ? ''
    : `SET ${[...settings].map(([name, value]) => `${name} = ${literal(value)}`).join(', ')};`
}

/** `param_x=…`: values stay values, the engine parses them as the type that {x:Type} names. */
export function parameterStatement(parameters: Settings): string {
  return parameters.size === 0
    ? ''
    : `SET ${[...parameters].map(([name, value]) => `param_${name} = ${literal(value)}`).join(', ')};`
}

export function readParameters(query: URLSearchParams): Settings {
  const parameters = new Map<string, string>()
  for (const [name, value] of query) {
    if (!name.startsWith('param_')) continue
    const short = name.slice('param_'.length)
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(short))
      throw refuse('BAD_ARGUMENTS', `Bad parameter name ${JSON.stringify(name.slice(0, 64))}`)
    parameters.set(short, value)
  }
  return parameters
}
