/**
 * Named places between every two steps of the delivery cycle. A test makes the process die there (or an engine of the
 * simulation misbehave); without one they cost a call of an empty function.
 */
export const FAILPOINTS = [
  'take-over.begun',
  'take-over.owners-written',
  'take-over.term-raised',
  'redo.begun',
  'batch.read',
  'batch.folded',
  'intent.set',
  'dead-letters.written',
  'rows.half-inserted',
  'rows.inserted',
  'states.half-erased',
  'states.erased',
  'states.upserted',
  'checkpoint.set',
] as const

export type Failpoint = (typeof FAILPOINTS)[number]

/** Called at each failpoint; may never answer (the process died). */
export type AtFailpoint = (name: Failpoint) => void | Promise<void>

export const noFailpoints: AtFailpoint = () => undefined
