/**
 * Other definitions of the numbers, side by side with the usual ones: `strict:minStallMs=500;lax:stallEndsMs=600000`.
 * Each has a name and parameters of the fold of views, and gets tables of its own (`qoe_views_strict`), built from the log.
 */
import { VIEWS_PARAMETERS, type ViewsParameters } from '../projections/views/limits.ts'
import type { Parser } from './addresses.ts'
import { CLI_LIMITS } from './limits.ts'

export interface Definition {
  readonly name: string
  readonly parameters: Partial<ViewsParameters>
}

const PARAMETERS = Object.keys(VIEWS_PARAMETERS) as (keyof ViewsParameters)[]
const WANTED = `names with parameters, such as strict:minStallMs=500,sustainedStallMs=2000;lax:stallEndsMs=600000 (${PARAMETERS.join(', ')})`

export const definitions: Parser<readonly Definition[]> = (text) => {
  const found: Definition[] = []
  for (const part of text.split(';').map((t) => t.trim())) {
    if (part === '') continue
    const [name = '', list = '', ...more] = part.split(':').map((t) => t.trim())
    const parameters = parametersIn(list)
    const good = /^[a-z][a-z0-9_]{0,20}$/.test(name) && more.length === 0 && parameters !== undefined
    if (!good || found.some((other) => other.name === name)) return { ok: false, wanted: WANTED }
    found.push({ name, parameters })
  }
  if (found.length <= CLI_LIMITS.definitionsMax) return { ok: true, value: found }
  return { ok: false, wanted: `at most ${CLI_LIMITS.definitionsMax} of them` }
}

/** Undefined: not readable, or the same as the usual ones, which have tables already. */
function parametersIn(list: string): Partial<ViewsParameters> | undefined {
  const parameters: Partial<Record<keyof ViewsParameters, number>> = {}
  for (const pair of list.split(',')) {
    const [, name, number] = /^\s*(\w+)\s*=\s*(\d{1,9})\s*$/.exec(pair) ?? []
    const known = PARAMETERS.find((parameter) => parameter === name)
    if (known === undefined || known in parameters) return undefined
    parameters[known] = Number(number)
  }
  return PARAMETERS.some((p) => p in parameters && parameters[p] !== VIEWS_PARAMETERS[p]) ? parameters : undefined
}
