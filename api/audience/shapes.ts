/** What answers from the tables say of how far they have read. */
import { Type } from '@sinclair/typebox'
import { orNull } from '../validation.ts'

export const TableFreshness = Type.Object({
  readThrough: Type.Record(Type.String(), Type.String()),
  lag: orNull(Type.Integer({ description: 'Records of the log that are not yet in the numbers.' })),
  asOf: Type.String(),
})
