/** What the routes say of themselves. The collector checks nothing by schema: whatever comes is read as far as it goes. */
import { type Static, Type } from '@sinclair/typebox'
import { COLLECTOR_LIMITS } from './limits.ts'

const TAGS = ['CMCD']
const SECURITY = [{ playbackToken: [] }, { key: [] }]

export const EventSchema = {
  tags: TAGS,
  summary: 'CMCD reports of a player (event mode), one record a line',
  description:
    'application/cmcd, text/cmcd, text/plain or any other type; plain or gzip. The playback token in the path, or in ' +
    'Authorization, binds the records to its profile; without it a publishable key (?key=) lets them in for an anonymous ' +
    'one. ?player=NAME/VERSION and ?target=NAME say which player and which of its targets this is. Malformed records ' +
    'are counted (/v1/cmcd/conformance) and cost the others nothing. 410 tells a player to stop: its token has expired.',
  security: SECURITY,
  bodyType: 'application/cmcd',
  bodyShown: {
    type: 'string',
    maxLength: COLLECTOR_LIMITS.bodyBytesMax,
    examples: ['cid="film",e=ps,sid="7f0c8f7e",sn=1,sta=p,ts=1764000000000,v=2'],
  },
  response: { 204: Type.Null({ description: 'They are in the log.' }) },
}

export const RequestSchema = {
  tags: TAGS,
  summary: 'CMCD of one media request (request mode)',
  description:
    'In the query argument CMCD, or in the headers CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status, which beat it. ' +
    '?url= names what was requested; its own query is not kept.',
  security: SECURITY,
  response: { 204: Type.Null({ description: 'It is in the log.' }) },
}

/** With GET there is no body. */
export const RequestPostSchema = {
  ...RequestSchema,
  bodyType: 'text/plain',
  bodyShown: { type: 'string', properties: {}, description: 'Not read.' },
}

const Fault = Type.Object({
  code: Type.String(),
  key: Type.String({ description: 'The key of CMCD that it is about; empty where it is about none.' }),
  says: Type.String(),
  count: Type.Integer(),
  example: Type.String({ description: 'A record that has it, as it came; its beginning if it is long.' }),
})

const Player = Type.Object({
  player: Type.String({ description: 'By ?player= of the address, else by the user agent.' }),
  version: Type.Integer({ description: 'Of CMCD.' }),
  mode: Type.Union([Type.Literal('event'), Type.Literal('request')]),
  records: Type.Integer(),
  faulty: Type.Integer({ description: 'Records with at least one fault.' }),
  firstSeen: Type.String(),
  lastSeen: Type.String(),
  faults: Type.Array(Fault),
})

const LeftOutRecords = Type.Object({
  player: Type.String(),
  reason: Type.String({ description: 'version, empty, length or session.' }),
  version: Type.Integer(),
  count: Type.Integer(),
  lastSeen: Type.String(),
  example: Type.String(),
})

export const ConformanceQuery = Type.Object(
  {
    hours: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: COLLECTOR_LIMITS.conformanceHoursMax,
        default: COLLECTOR_LIMITS.conformanceHours,
        description: 'How far back.',
      }),
    ),
    player: Type.Optional(Type.String({ maxLength: COLLECTOR_LIMITS.playerCharsMax * 2 })),
  },
  { additionalProperties: true },
)
export type ConformanceQuery = Static<typeof ConformanceQuery>

export const ConformanceSchema = {
  tags: TAGS,
  summary: 'What players get wrong, by player and version',
  description:
    'From the records of the last hours, newest first up to a bound. Records that made no event are counted by the ' +
    'process that answers, since its start.',
  security: [{ key: [] }],
  querystring: ConformanceQuery,
  response: {
    200: Type.Object({
      from: Type.String(),
      to: Type.String(),
      records: Type.Integer({ description: 'Looked at.' }),
      complete: Type.Boolean({ description: 'False: there are more, older ones, which were not looked at.' }),
      players: Type.Array(Player),
      leftOut: Type.Array(LeftOutRecords),
    }),
  },
}
