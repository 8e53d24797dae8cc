/**
 * Which room may import which: data flows left to right, imports point only to the left or down. This table is the one
 * in docs/architecture.md; `npm run check` holds the code to it.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  log: ['schemas'],
  stores: ['schemas'],
  analytics: [],
  producers: ['schemas', 'log'],
  projections: ['schemas'],
  consumers: ['schemas', 'log', 'stores', 'projections', 'producers'],
  experiments: ['schemas'],
  transcode: ['schemas', 'log', 'stores', 'producers'],
  simulator: ['schemas', 'producers', 'experiments'],
  sdk: ['schemas'],
  api: ['schemas', 'log', 'stores', 'producers', 'projections', 'experiments', 'transcode'],
  cli: [
    'schemas',
    'log',
    'stores',
    'analytics',
    'producers',
    'projections',
    'consumers',
    'experiments',
    'transcode',
    'simulator',
    'api',
  ],
  web: ['sdk'],
}

/** Packages that only one file may import, so that replacing them is one file's work. */
export const SOLE_IMPORTERS: Readonly<Record<string, string>> = {
  kafkajs: 'log/kafka/client.ts',
  ioredis: 'api/limiter/redis.ts',
}
