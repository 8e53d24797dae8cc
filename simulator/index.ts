/** simulator/: a synthetic audience, and what is true of it. Pure: no clock, no chance but the seed's, nothing is written. */
export { type Audience, createAudience, type SimEvent } from './audience.ts'
export { registration } from './catalogue.ts'
export { AudienceImpossible, type AudienceOptions, type Effect, type Fault, type Group } from './options.ts'
export { CDNS } from './people.ts'
export { DIMENSIONS, type Dimension, metricsOf, type Sums, type Truth, type ViewTruth } from './truth.ts'
