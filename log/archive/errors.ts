import { LogError } from '../errors.ts'

/** An archive that is damaged, another log's, or does not hold what was asked of it. The message says which file. */
export class ArchiveError extends LogError {
  constructor(message: string, options?: ErrorOptions) {
    super('LOG_ARCHIVE', message, options)
  }
}
