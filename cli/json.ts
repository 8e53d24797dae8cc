/** JSON for people's tools: counts and positions (bigints) as text, so that no reader rounds them; bytes as base64. */
export function toJson(body: unknown, indent?: number): string {
  return JSON.stringify(body, replacer, indent)
}

function replacer(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (isBufferJson(value)) return Buffer.from(value.data).toString('base64')
  return value
}

/** A Buffer has turned itself into this before a replacer sees it. */
function isBufferJson(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value
}
