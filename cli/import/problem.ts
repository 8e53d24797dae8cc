/** What is wrong with one row: said to a person, kept in the file of rejected rows. */
export interface RowProblem {
  /** Our name of the field; empty for the row as a whole. */
  readonly field: string
  readonly problem: string
  readonly remedy: string
}

export function problemAt(field: string, problem: string, remedy: string): RowProblem {
  return { field, problem, remedy }
}

/** Thrown while a row is read, and caught where the row ends. */
export class RowRejected extends Error {
  readonly problem: RowProblem
  constructor(field: string, problem: string, remedy: string) {
    super(`${field} ${problem}`)
    this.name = 'RowRejected'
    this.problem = problemAt(field, problem, remedy)
  }
}
