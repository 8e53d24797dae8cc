import type { RecordSchema } from '../avro.ts'
import { buildType } from '../avro-types.ts'

/** avsc's own word on whether two versions read each other: what it refuses would fail at run time. */
export function avscRefuses(older: RecordSchema, newer: RecordSchema): string[] {
  const problems: string[] = []
  const pairs = [
    [newer, older, 'the new one', 'the old version'],
    [older, newer, 'the old version', 'the new one'],
  ] as const
  for (const [reader, writer, readerName, writerName] of pairs) {
    try {
      buildType(reader, { registry: {}, tags: new Map() }).createResolver(
        buildType(writer, { registry: {}, tags: new Map() }),
      )
    } catch (error) {
      problems.push(`avsc can't read ${writerName} as ${readerName}: ${(error as Error).message}`)
    }
  }
  return problems
}
