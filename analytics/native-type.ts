/** How wide the values of a type are in the Native format, read from the type's name. */
export type NativeType =
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'nullable'; readonly of: NativeType }
  | { readonly kind: 'array'; readonly of: NativeType }
  | { readonly kind: 'tuple'; readonly of: readonly NativeType[] }
  | { readonly kind: 'dictionary'; readonly of: NativeType }
  | { readonly kind: 'unknown'; readonly name: string }

const FIXED: ReadonlyMap<string, number> = new Map([
  ...['Int8', 'UInt8', 'Bool', 'Enum8', 'Nothing'].map((name) => [name, 1] as const),
  ...['Int16', 'UInt16', 'Date', 'Enum16', 'BFloat16'].map((name) => [name, 2] as const),
  ...['Int32', 'UInt32', 'Float32', 'Date32', 'DateTime', 'IPv4', 'Decimal32', 'Time'].map(
    (name) => [name, 4] as const,
  ),
  ...['Int64', 'UInt64', 'Float64', 'DateTime64', 'Decimal64', 'Time64'].map((name) => [name, 8] as const),
  ...['Int128', 'UInt128', 'UUID', 'IPv6', 'Decimal128'].map((name) => [name, 16] as const),
  ...['Int256', 'UInt256', 'Decimal256'].map((name) => [name, 32] as const),
])

const POINT: NativeType = { kind: 'fixed', bytes: 16 }
const RING: NativeType = { kind: 'array', of: { kind: 'tuple', of: [fixed(8), fixed(8)] } }
const GEO: ReadonlyMap<string, NativeType> = new Map<string, NativeType>([
  ['Point', POINT],
  ['Ring', RING],
  ['LineString', RING],
  ['Polygon', { kind: 'array', of: RING }],
  ['MultiLineString', { kind: 'array', of: RING }],
  ['MultiPolygon', { kind: 'array', of: { kind: 'array', of: RING } }],
])

function fixed(bytes: number): NativeType {
  return { kind: 'fixed', bytes }
}

export function parseNativeType(text: string): NativeType {
  const open = text.indexOf('(')
  const name = open < 0 ? text : text.slice(0, open)
  const inside = open < 0 ? [] : split(text.slice(open + 1, text.lastIndexOf(')')))
  const width = FIXED.get(name)
  if (width !== undefined) return fixed(width)
  if (name.startsWith('Interval')) return fixed(8)
  const geo = GEO.get(name)
  if (geo !== undefined) return geo
  const [first = ''] = inside
  switch (name) {
    case 'String':
      return { kind: 'string' }
    case 'FixedString':
      return fixed(Number(first))
    case 'Decimal':
      return fixed(decimalBytes(Number(first)))
    case 'Nullable':
      return { kind: 'nullable', of: parseNativeType(first) }
    case 'LowCardinality': {
      // Its keys are never null; a place among them stands for null.
      const of = parseNativeType(first)
      return { kind: 'dictionary', of: of.kind === 'nullable' ? of.of : of }
    }
    case 'Array':
      return { kind: 'array', of: parseNativeType(first) }
    case 'Map':
      return { kind: 'array', of: { kind: 'tuple', of: inside.map(parseNativeType) } }
    case 'Tuple':
      return { kind: 'tuple', of: inside.map((element) => parseNativeType(withoutName(element))) }
    case 'Nested':
      return {
        kind: 'array',
        of: { kind: 'tuple', of: inside.map((element) => parseNativeType(withoutName(element))) },
      }
    case 'SimpleAggregateFunction':
      return parseNativeType(inside[1] ?? '')
    default:
      return { kind: 'unknown', name: text }
  }
}

function decimalBytes(precision: number): number {
  if (precision <= 9) return 4
  if (precision <= 18) return 8
  return precision <= 38 ? 16 : 32
}

/** `name Type` of a Tuple's element; the name may be in backquotes. */
function withoutName(element: string): string {
  const match = /^(?:`(?:[^`\\]|\\.|``)*`|[A-Za-z_][A-Za-z0-9_]*) +(?=[A-Z])/.exec(element)
  return match === null ? element : element.slice(match[0].length)
}

/** At commas that are in no brackets and no quotes. */
function split(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? ''
    if (char === "'" || char === '`') at = quoteEnd(text, at, char)
    else if (char === '(') depth += 1
    else if (char === ')') depth -= 1
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  const last = text.slice(start).trim()
  return last === '' ? parts : [...parts, last]
}

function quoteEnd(text: string, from: number, quote: string): number {
  let at = from + 1
  while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1
  return at
}
