/** Every error of stores/, each with a stable code. */
export class StoreError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** The store can't be reached, timed out or is overloaded: the same call may be made again. */
export class StoreUnavailable extends StoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('STORE_UNAVAILABLE', message, options)
  }
}

/** No space left: nothing was written; the same call works once there is space. */
export class StoreFull extends StoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('STORE_FULL', message, options)
  }
}

/** The call can't succeed as it is (a spec that doesn't fit, a value of the wrong type, a bad query). */
export class StoreRefused extends StoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('STORE_REFUSED', message, options)
  }
}
