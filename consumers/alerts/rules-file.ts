/** The operator's rules: a JSON file, read once when a process starts. */
import { readFile } from 'node:fs/promises'
import type { Rule } from '../../projections/incidents/rule.ts'
import { RuleInvalid, rulesInForce } from '../../projections/incidents/rules.ts'

/** Undefined: the shipped rules. Throws RuleInvalid with the field, or what the file system says. */
export async function readRules(path: string | undefined): Promise<readonly Rule[]> {
  if (path === undefined) return rulesInForce(undefined)
  const text = await readFile(path, 'utf8')
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (error) {
    throw new RuleInvalid('the file', `is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  return rulesInForce(file)
}
