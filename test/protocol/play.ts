/** Plays a tape against an engine and says in words where the two differ. */
import { KEYS, type ProtocolEngine } from './engine.ts'
import { at, differences, filled, type Json, type Step, type Tape } from './tape.ts'

type Kept = Map<string, string>

export async function play(engine: ProtocolEngine, tape: Tape): Promise<readonly string[]> {
  const startMs = Date.parse(tape.startsAt)
  const kept: Kept = new Map([
    ['publishableKey', KEYS.publishable],
    ['dataKey', KEYS.data],
    ['adminKey', KEYS.admin],
  ])
  const wrong: string[] = []
  for (const [i, step] of tape.steps.entries()) {
    engine.clock.ms = startMs + Math.round(step.atS * 1_000)
    kept.set('profileToken', engine.profileToken(tape.profile, tape.claims))
    // What a reader is answered depends on how far the projections are; a tape says what holds once they are there.
    if (step.path.includes('/lint')) await engine.settled()
    else if (step.method === 'GET' || step.path.includes('/start')) await engine.settled('states')
    wrong.push(
      ...(await take(engine, filled(step, kept), kept)).map((words) => `step ${i + 1} (${step.says}): ${words}`),
    )
  }
  await engine.settled()
  engine.clock.ms = startMs + Math.round(tape.holds.atS * 1_000)
  kept.set('profileToken', engine.profileToken(tape.profile, tape.claims))
  return [...wrong, ...(await held(engine, tape, kept))]
}

async function take(engine: ProtocolEngine, step: Step, kept: Kept): Promise<readonly string[]> {
  const { method, path, headers = {}, body, text, answer } = step
  const payload = text === undefined ? body : text.join('\n')
  const response = await engine.app.inject({
    method,
    url: path,
    headers: { ...headers },
    ...(payload !== undefined && { payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }),
  })
  if (response.statusCode !== answer.status)
    return [`${response.statusCode}, wanted ${answer.status}: ${response.body}`]
  const parsed: unknown = response.body === '' ? undefined : response.json()
  for (const [name, pointer] of Object.entries(step.keep ?? {})) {
    const value = at(parsed, pointer)
    if (typeof value !== 'string') return [`there is no ${pointer} to keep in ${response.body}`]
    kept.set(name, value)
  }
  return [
    ...differences(answer.headers as Json | undefined, response.headers, 'headers'),
    ...differences(answer.body, parsed),
  ]
}

const DATA = { 'x-playhead-key': KEYS.data }

async function held(engine: ProtocolEngine, tape: Tape, kept: Kept): Promise<readonly string[]> {
  const { views, progress, lint = {}, tables = {} } = filled(tape.holds, kept)
  const wrong: string[] = []
  const asOf = engine.clock.ms
  for (const wanted of views) {
    const { session_id: session, title_id: title, ...columns } = wanted
    const answer = await engine.app.inject({ url: `/v1/qoe/views/${session}?asOf=${asOf}`, headers: DATA })
    type Story = { readonly views: readonly { readonly state: string; readonly row: Record<string, unknown> }[] }
    const { views: found = [] } = answer.json<Partial<Story>>()
    const view = found.find(({ row }) => row.title_id === title)
    if (view === undefined) wrong.push(`there is no view of ${title} in ${session}: ${answer.body.slice(0, 300)}`)
    else wrong.push(...differences(columns, { ...view.row, state: view.state }, `view of ${title}`))
  }
  for (const [session, codes] of Object.entries(lint)) {
    const answer = await engine.app.inject({ url: `/v1/sessions/${session}/lint?asOf=${asOf}`, headers: DATA })
    const { findings = [] } = answer.json<{ findings?: readonly { readonly code: string }[] }>()
    const found = findings.map(({ code }) => code)
    if (found.join() !== codes.join())
      wrong.push(`lint of ${session}: wanted ${codes}, found ${answer.body.slice(0, 2_000)}`)
  }
  if (progress !== undefined) wrong.push(...(await progressHeld(engine, tape, kept, progress)))
  for (const [sql, rows] of Object.entries(tables)) {
    wrong.push(...differences(rows, await engine.query<Json>(sql), sql))
  }
  return wrong
}

async function progressHeld(
  engine: ProtocolEngine,
  { profile }: Tape,
  kept: Kept,
  { titleId, ...wanted }: Readonly<Record<string, Json>>,
): Promise<readonly string[]> {
  const headers = { authorization: `Bearer ${kept.get('profileToken')}` }
  const answer = await engine.app.inject({ url: `/v1/profiles/${profile}/progress/${titleId}`, headers })
  return differences(wanted, answer.json<Json>(), `progress in ${titleId}`)
}
