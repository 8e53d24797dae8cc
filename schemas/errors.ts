/** Every error of schemas/, each with a stable code. */
export class SchemaError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** The external registry can't be reached or refuses for now: try again, never park an event for it. */
export class SchemaRegistryUnavailable extends SchemaError {
  constructor(message: string, options?: ErrorOptions) {
    super('SCHEMA_REGISTRY_UNAVAILABLE', message, options)
  }
}

/** The external registry answered that it will not take one of our schemas. */
export class SchemaRegistryRefused extends SchemaError {
  constructor(message: string, options?: ErrorOptions) {
    super('SCHEMA_REGISTRY_REFUSED', message, options)
  }
}

/** An event that does not fit its schema reached the encoder: a defect of the producer, not of its input. */
export class EventInvalid extends SchemaError {
  constructor(message: string, options?: ErrorOptions) {
    super('EVENT_INVALID', message, options)
  }
}
