/**
 * What no statement may contain, whoever sends it: a way to the file system, the network or another process.
 *
 * The engine runs in the user's own process with every right, and `readonly=1` alone lets through INTO OUTFILE, the
 * function file(), DESCRIBE url(…) and KILL QUERY (seen in ClickHouse 26.7). So: statements, table functions and
 * table engines come from allow-lists, the functions that reach outside are refused by name wherever the name
 * stands (`* APPLY(file)` needs no call), and unknown things are refused until someone lists them.
 */
import { setImmediate } from 'node:timers/promises'
import { refuse } from './errors.ts'
import { identifierName, type Token, tokens } from './lexer.ts'
import { mayNotBeSet } from './settings.ts'
import { keyword, type Statement } from './statement.ts'

export type Role = 'writer' | 'reader'

const READER_STATEMENTS = new Set([
  'SELECT',
  'WITH',
  'FROM',
  '(',
  'SHOW',
  'DESCRIBE',
  'DESC',
  'EXISTS',
  'EXPLAIN',
  'VALUES',
])
const WRITER_STATEMENTS = new Set([
  ...READER_STATEMENTS,
  ...[
    'INSERT',
    'CREATE',
    'REPLACE',
    'ALTER',
    'DROP',
    'DETACH',
    'ATTACH',
    'UNDROP',
    'TRUNCATE',
    'RENAME',
    'EXCHANGE',
    'OPTIMIZE',
  ],
  ...['DELETE', 'UPDATE', 'CHECK', 'KILL', 'SET', 'USE', 'SYSTEM'],
])

/** Statements of ClickHouse that this interface doesn't take; any other word is no statement at all. */
const STATEMENTS_REFUSED = new Set([
  ...[
    'GRANT',
    'REVOKE',
    'BACKUP',
    'RESTORE',
    'EXECUTE',
    'MOVE',
    'PARALLEL',
    'BEGIN',
    'COMMIT',
    'ROLLBACK',
    'START',
    'COPY',
  ],
])

/** `SYSTEM x`: no SHUTDOWN, KILL, RELOAD CONFIG, LISTEN… */
const SYSTEM_COMMANDS = new Set(['FLUSH', 'START', 'STOP', 'WAIT', 'SYNC', 'DROP'])

/** Functions that open files or sockets, or load code. */
const FUNCTIONS_REFUSED = new Set([
  'file',
  'catboostevaluate',
  'evalmlmethod',
  'aiclassify',
  'aiembed',
  'aiextract',
  'aigenerate',
  'aitranslate',
])

const TABLE_FUNCTIONS_ALLOWED = new Set([
  ...[
    'numbers',
    'numbers_mt',
    'zeros',
    'zeros_mt',
    'primes',
    'generateseries',
    'generate_series',
    'generaterandom',
    'values',
  ],
  ...[
    'sqlstandardvalues',
    'view',
    'viewifpermitted',
    'viewexplain',
    'merge',
    'null',
    'format',
    'loop',
    'mergetreeindex',
  ],
  ...['mergetreeprojection', 'mergetreetextindex', 'mergetreeanalyzeindexes', 'fuzzjson'],
])

const ENGINES_ALLOWED =
  /^((shared|replicated)?(replacing|summing|aggregating|collapsing|versionedcollapsing|coalescing)?mergetree|memory|null|log|tinylog|stripelog|set|join|merge|buffer|view|materializedview|windowview|atomic|ordinary|generaterandom|loop)$/

const CREATE_REFUSED = new Set([
  'FUNCTION',
  'DICTIONARY',
  'USER',
  'ROLE',
  'QUOTA',
  'POLICY',
  'PROFILE',
  'WORKLOAD',
  'RESOURCE',
  'COLLECTION',
])

export interface Gate {
  check(text: string, statement: Statement, role: Role): void
  /** A parameter of type Identifier can stand for a function: `arrayMap({f:Identifier}, …)`. */
  checkParameters(text: string, statement: Statement, parameters: ReadonlyMap<string, string>): void
  /** Whether rows in Values may run as the expressions that they can be. */
  mayInterpret(values: string): Promise<boolean>
}

/** A long text is looked through in turns, between which others are served. */
const TOKENS_PER_TURN = 20_000

/** `tableFunctions`: every one that this engine knows, so that a new version's are refused until they are listed. */
export function createGate(tableFunctions: Iterable<string>): Gate {
  const refused = new Set<string>()
  for (const name of tableFunctions) {
    const lower = name.toLowerCase()
    if (!TABLE_FUNCTIONS_ALLOWED.has(lower)) refused.add(lower)
  }
  return {
    check(text, statement, role) {
      checkKind(text, statement.tokens, role)
      checkTokens(text, statement, refused)
    },
    async mayInterpret(values) {
      let before: Token | undefined
      let before2: Token | undefined
      let seen = 0
      for (const token of tokens(values)) {
        if (token.kind === 'error') return false
        if (before !== undefined && refusedName(values, [before2, before, token], refused) !== undefined) return false
        before2 = before
        before = token
        seen += 1
        if (seen % TOKENS_PER_TURN === 0) await setImmediate()
      }
      return before === undefined || refusedName(values, [before2, before, undefined], refused) === undefined
    },
    checkParameters(text, statement, parameters) {
      if (!statement.tokens.some((token) => keyword(text, token) === 'IDENTIFIER')) return
      for (const value of parameters.values()) {
        const name = value.trim().toLowerCase()
        if (FUNCTIONS_REFUSED.has(name) || refused.has(name)) throw denied(`identifier ${name}`)
      }
    },
  }
}

function denied(what: string): Error {
  return refuse('ACCESS_DENIED', `Not enough privileges: ${what} is not available over this interface`)
}

function checkKind(text: string, all: readonly Token[], role: Role): void {
  const first = keyword(text, all[0])
  if (!WRITER_STATEMENTS.has(first) && !STATEMENTS_REFUSED.has(first)) {
    throw refuse(
      'SYNTAX_ERROR',
      `Syntax error: failed at position ${(all[0]?.start ?? 0) + 1} (${first.slice(0, 40)}): not a statement`,
    )
  }
  if (role === 'reader' && (!READER_STATEMENTS.has(first) || (first === 'WITH' && isInsertBehindWith(text, all)))) {
    throw refuse('READONLY', 'Cannot execute query in readonly mode')
  }
  if (STATEMENTS_REFUSED.has(first)) throw denied(first)
  const second = keyword(text, all[1])
  if (first === 'SYSTEM' && !SYSTEM_COMMANDS.has(second)) throw denied(`SYSTEM ${second}`)
  if (['CREATE', 'REPLACE', 'ALTER', 'DROP', 'ATTACH'].includes(first)) {
    const head = all.slice(1, 5).map((token) => keyword(text, token))
    const bad = head.find((word) => CREATE_REFUSED.has(word))
    const isObjectName = head.includes('TABLE') || head.includes('DATABASE') || head.includes('VIEW')
    if (bad !== undefined && !isObjectName) throw denied(`${first} ${bad}`)
  }
}

function isInsertBehindWith(text: string, all: readonly Token[]): boolean {
  let depth = 0
  for (const token of all) {
    const word = keyword(text, token)
    if (word === '(') depth += 1
    if (word === ')') depth -= 1
    if (depth === 0 && word === 'INSERT') return true
  }
  return false
}

function checkTokens(text: string, statement: Statement, refused: ReadonlySet<string>): void {
  const all = statement.tokens
  for (const [index, token] of all.entries()) {
    if (token.kind !== 'word' && token.kind !== 'quoted') continue
    const bad = refusedName(text, [all[index - 1], token, all[index + 1]], refused)
    if (bad !== undefined && !isOwnInput(statement, token)) throw denied(bad)
    const name = identifierName(text, token).toLowerCase()
    const isAssigned = keyword(text, all[index + 1]) === '='
    const assigned = all[index + 2]
    const value = assigned === undefined ? '' : text.slice(assigned.start, assigned.end)
    if (isAssigned && mayNotBeSet(name, value) && isSetting(text, all, index)) throw denied(`setting ${name}`)
    if (token.kind === 'word') checkClause(text, all, index)
  }
}

/** What a name stands for between its neighbours, if that is refused. */
function refusedName(
  text: string,
  [before, token, after]: readonly [Token | undefined, Token, Token | undefined],
  tableFunctions: ReadonlySet<string>,
): string | undefined {
  if (token.kind !== 'word' && token.kind !== 'quoted') return undefined
  const name = identifierName(text, token).toLowerCase()
  if (name === 'outfile' || name === 'infile') return name.toUpperCase()
  // `t.file` is a column; anything else of that name may be the function.
  if (FUNCTIONS_REFUSED.has(name) && keyword(text, before) !== '.') return `function ${name}`
  if (keyword(text, after) === '(' && tableFunctions.has(name)) return `table function ${name}`
  return undefined
}

function isOwnInput(statement: Statement, token: Token): boolean {
  return statement.kind === 'insert-data' && statement.input?.start === token.start
}

/** A name before `=` is a setting only behind SETTINGS or SET and its commas; a WHERE may compare a column so called. */
function isSetting(text: string, all: readonly Token[], index: number): boolean {
  for (let at = index - 1; at >= 0; at -= 1) {
    const word = keyword(text, all[at])
    if (word === 'SETTINGS' || word === 'SET' || (word === 'SETTING' && at > 0)) return true
    if (word === 'SELECT' || word === 'WHERE' || word === 'HAVING' || word === 'ON') return false
  }
  return false
}

function checkClause(text: string, all: readonly Token[], index: number): void {
  const word = keyword(text, all[index])
  const first = keyword(text, all[0])
  const definesTable = first === 'CREATE' || first === 'REPLACE' || first === 'ATTACH'
  const after = keyword(text, all[index + 1])
  const namesEngine = after === '=' || (all[index + 1]?.kind === 'word' && after !== 'FROM')
  if (definesTable && word === 'ENGINE' && namesEngine) {
    const token = after === '=' ? all[index + 2] : all[index + 1]
    const name = token === undefined ? '' : identifierName(text, token).toLowerCase()
    if (!ENGINES_ALLOWED.test(name)) throw denied(`engine ${name}`)
  }
  if (first === 'ATTACH' && word === 'FROM') throw denied('ATTACH … FROM')
  if (word === 'COLLECTION' && keyword(text, all[index - 1]) === 'NAMED') throw denied('NAMED COLLECTION')
  if (first === 'CREATE' && word === 'SOURCE' && after === '(') throw denied('SOURCE')
  if (word === 'DISK' && after === '(') throw denied('disk()')
}
