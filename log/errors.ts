/** Every error of log/, each with a stable code. What the caller can do is in the message. */
export class LogError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** The queue is full: nothing was taken, the same records may be sent again after `retryAfterMs`. */
export class LogBusy extends LogError {
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number) {
    super('LOG_BUSY', message)
    this.retryAfterMs = retryAfterMs
  }
}

/** The engine can't be reached or refuses for now. An append that ends so is ambiguous. */
export class LogUnavailable extends LogError {
  constructor(message: string, options?: ErrorOptions) {
    super('LOG_UNAVAILABLE', message, options)
  }
}

/** The disk is full: nothing of this append was stored. */
export class LogFull extends LogError {
  constructor(message: string, options?: ErrorOptions) {
    super('LOG_FULL', message, options)
  }
}

/** The caller asked for something that does not exist or can't be (unknown topic, oversized record). */
export class LogRefused extends LogError {
  constructor(message: string, options?: ErrorOptions) {
    super('LOG_REFUSED', message, options)
  }
}

/** What was asked for has been removed from the log; an archive may have it. */
export class LogRetention extends LogError {
  constructor({ topic, partition }: { topic: string; partition: number }, from: bigint, start: bigint) {
    const lost = `${start - from} positions of ${topic}/${partition}, from ${from} on, were removed by retention`
    super('LOG_RETENTION', `${lost} before they were read; it starts at ${start} now`)
  }
}

/** What is stored is not what was written. Reading on past it is the operator's decision, never the engine's. */
export class LogCorrupt extends LogError {
  constructor(message: string, options?: ErrorOptions) {
    super('LOG_CORRUPT', message, options)
  }
}
