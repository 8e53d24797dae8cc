/** What the lint route takes and answers. */
import { Type } from '@sinclair/typebox'
import { StoryParams, StoryQuery } from '../qoe/schemas.ts'
import { SEVERITIES } from './rule.ts'

export interface LintRoute {
  Params: StoryParams
  Querystring: StoryQuery
}

const Finding = Type.Object({
  code: Type.String({ description: 'Stable; docs/protocol.md lists them.' }),
  severity: Type.Union(
    SEVERITIES.map((severity) => Type.Literal(severity)),
    {
      description:
        'error: numbers are wrong. warning: numbers are missing, or can not be trusted. hint: more could be known.',
    },
  ),
  profileId: Type.String(),
  titleId: Type.String(),
  says: Type.String({ description: 'What was found, for people.' }),
  remedy: Type.String({ description: 'What to do about it.' }),
  count: Type.Integer(),
  events: Type.Array(Type.String(), { description: 'Ids of the events that show it; of many the first.' }),
})

const View = Type.Object({
  profileId: Type.String(),
  titleId: Type.String(),
  state: Type.String(),
  reports: Type.Object(
    {
      events: Type.Integer({ description: 'All that count.' }),
      copies: Type.Integer({ description: 'Sent again, and counted once.' }),
      player: Type.Integer({ description: 'Events of the player’s own.' }),
      cmcd: Type.Integer({ description: 'CMCD reports.' }),
    },
    { description: 'What was looked at.' },
  ),
})

export const LintSchema = {
  summary: 'What an integration leaves out or gets wrong',
  description:
    'Reads what one session sent and says what is missing, impossible or personal in it, with a remedy; and what is fine. For whoever writes a client: play once, then ask.',
  tags: ['Protocol'],
  security: [{ key: [] }],
  params: StoryParams,
  querystring: StoryQuery,
  response: {
    200: Type.Object({
      sessionId: Type.String(),
      views: Type.Array(View),
      findings: Type.Array(Finding),
      fine: Type.Array(Type.Object({ code: Type.String(), says: Type.String() })),
      more: Type.Object({ views: Type.Boolean(), events: Type.Boolean() }),
      freshness: Type.Object({}, { additionalProperties: true, description: 'How far the projection has read.' }),
    }),
  },
}
