/** What the document says of routes that have no schema of their own: by method and path. */
import { EVENT_TYPES, EVENTS } from '../../schemas/index.ts'
import { API_LIMITS } from '../limits.ts'
import type { RouteDocs } from './document.ts'

const OPEN: RouteDocs['security'] = [{}]
const REGISTRY: RouteDocs = {
  tags: ['Schema registry'],
  security: OPEN,
  registry: true,
  mediaType: 'application/vnd.schemaregistry.v1+json',
  description: "The read side of Confluent's Schema Registry; its errors have that registry's own shape.",
}
const ENGINE: RouteDocs = { tags: ['Engine'], security: OPEN }

/** What players may say, as the intake takes it. */
export const TAKEN_EVENTS: readonly string[] = EVENT_TYPES.filter((type) =>
  ['playback-events', 'exposure-events'].includes(EVENTS[type].topic ?? ''),
)

const eventRef = (type: string) => ({ $ref: `#/components/schemas/${type}` })
const events = {
  type: 'array',
  minItems: 1,
  maxItems: API_LIMITS.eventsPerRequestMax,
  items: { oneOf: TAKEN_EVENTS.map(eventRef), discriminator: { propertyName: 'type' } },
}

export const DESCRIBED: Readonly<Record<string, RouteDocs>> = {
  'GET /': { ...ENGINE, summary: 'What this is' },
  'GET /v1/live': { mediaType: 'text/event-stream' },
  'GET /healthz': { ...ENGINE, summary: 'Whether the process lives' },
  'GET /readyz': { ...ENGINE, summary: 'Whether it may get traffic, and why not' },
  'GET /metrics': {
    tags: ['Engine'],
    summary: 'Metrics for Prometheus',
    mediaType: 'text/plain',
    description: 'From this machine without a key; else with a data or admin key.',
    security: [{ key: [] }, {}],
  },
  'GET /openapi.json': { ...ENGINE, summary: 'This document' },
  'GET /docs': { ...ENGINE, summary: 'This document, to read', mediaType: 'text/html' },
  'POST /v1/events': {
    tags: ['Events'],
    summary: 'Send what players saw, up to 500 events at a time',
    description:
      'JSON, or JSON as text/plain (as navigator.sendBeacon sends it), plain or gzip. The answer goes out after the log ' +
      'has the events on disk, and says of each event what became of it.',
    security: [{ key: [] }, { playbackToken: [] }],
    bodyShown: {
      anyOf: [
        { type: 'object', required: ['events'], properties: { events, sentAt: { type: ['integer', 'string'] } } },
        events,
      ],
    },
    responses: { 202: 'Taken; "results" has an entry for each event.' },
  },
  'GET /v1/profiles/:profileId/live': { mediaType: 'text/event-stream' },
  'GET /subjects': { ...REGISTRY, summary: 'Subjects' },
  'GET /subjects/:subject/versions': { ...REGISTRY, summary: 'Versions of a subject' },
  'GET /subjects/:subject/versions/:version': { ...REGISTRY, summary: 'A version of a subject' },
  'GET /subjects/:subject/versions/:version/schema': { ...REGISTRY, summary: 'The schema of a version' },
  'POST /subjects/:subject': { ...REGISTRY, summary: 'Whether a schema is known under a subject' },
  'POST /subjects/:subject/versions': { ...REGISTRY, summary: 'Refused: schemas come with a release' },
  'GET /schemas/types': { ...REGISTRY, summary: 'Kinds of schemas' },
  'GET /schemas/ids/:id': { ...REGISTRY, summary: 'A schema by its id' },
  'GET /schemas/ids/:id/schema': { ...REGISTRY, summary: "A schema's text by its id" },
  'GET /schemas/ids/:id/subjects': { ...REGISTRY, summary: 'Subjects of a schema' },
  'GET /schemas/ids/:id/versions': { ...REGISTRY, summary: 'Versions of a schema' },
  'GET /config': { ...REGISTRY, summary: 'The level of compatibility' },
  'GET /config/:subject': { ...REGISTRY, summary: 'The level of compatibility of a subject' },
  'GET /mode': { ...REGISTRY, summary: 'The mode: read-only' },
  'GET /mode/:subject': { ...REGISTRY, summary: 'The mode of a subject: read-only' },
}
