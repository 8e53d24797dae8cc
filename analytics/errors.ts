/** Every error that leaves analytics/ over HTTP: ClickHouse's own codes, names and text, which its clients parse. */

/** Codes that this front raises itself; the engine's own pass through with whatever code they carry. */
export const CODES = {
  BAD_ARGUMENTS: 36,
  NOT_IMPLEMENTED: 48,
  SYNTAX_ERROR: 62,
  TIMEOUT_EXCEEDED: 159,
  QUERY_IS_TOO_LARGE: 168,
  READONLY: 164,
  TOO_LARGE_STRING_SIZE: 131,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  AUTHENTICATION_FAILED: 516,
  REQUIRED_PASSWORD: 194,
  ACCESS_DENIED: 497,
  SESSION_NOT_FOUND: 372,
  SESSION_IS_LOCKED: 373,
  INVALID_SESSION_TIMEOUT: 374,
  NOT_ENOUGH_SPACE: 243,
  QUERY_WAS_CANCELLED: 394,
  CANNOT_DECOMPRESS: 271,
  CHECKSUM_DOESNT_MATCH: 40,
  UNKNOWN_SETTING: 115,
  ABORTED: 236,
  TOO_MANY_ROWS_OR_BYTES: 396,
} as const

export type CodeName = keyof typeof CODES

export class ClickHouseError extends Error {
  readonly code: number
  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ClickHouseError'
    this.code = code
  }
}

export function refuse(name: CodeName, text: string): ClickHouseError {
  return new ClickHouseError(CODES[name], `${text}. (${name})`)
}

function isBadCompression(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(Z_|ERR_BROTLI|ERR__ERROR_FORMAT)/.test(String(error.code))
}

const PREFIX = /^\s*Code: (\d+)\. DB::Exception: /

/** The engine repeats "Code: 73. DB::Exception:" for each layer it went through; clients expect it once. */
export function fromEngine(error: unknown): ClickHouseError {
  if (error instanceof ClickHouseError) return error
  if (isBadCompression(error)) return refuse('CANNOT_DECOMPRESS', 'The body is not what its Content-Encoding says')
  let text = error instanceof Error ? error.message : String(error)
  let code = 1002
  for (let match = PREFIX.exec(text); match !== null; match = PREFIX.exec(text)) {
    code = Number(match[1])
    text = text.slice(match[0].length)
  }
  const layered = /\((?<name>[A-Z0-9_]+)\)(?: \(version [^)]*\)\.? \(\k<name>\))+\s*$/
  text = text.replace(layered, '($<name>)')
  return new ClickHouseError(code, text, { cause: error })
}

export function errorText(error: ClickHouseError, version: string): string {
  return `Code: ${error.code}. DB::Exception: ${error.message} (version ${version})\n`
}

const STATUS: ReadonlyMap<number, number> = new Map([
  // The request itself is wrong: 400.
  ...[6, 25, 26, 27, 36, 38, 41, 43, 44, 53, 62, 69, 70, 72, 117, 131, 130, 271, 40, 374, 457].map(
    (c) => [c, 400] as const,
  ),
  // Names that don't exist: 404.
  ...[46, 47, 50, 56, 60, 63, 73, 81, 106, 115, 336, 372, 511].map((c) => [c, 404] as const),
  ...[192, 193, 516, 497, 164].map((c) => [c, 403] as const),
  [194, 401],
  [168, 413],
  [48, 501],
  [344, 501],
  [159, 408],
  [209, 503],
  [202, 503],
  [236, 503],
  [243, 507],
])

export function httpStatus(code: number): number {
  return STATUS.get(code) ?? 500
}
