/**
 * The dashboard. One of three is shown: the question for a key, the overview, or the story of one session; the address
 * says which. The live stream runs while there is a key; whoever is refused is asked for another key.
 */
import '../shared/base.css'
import './dashboard.css'
import { type Client, createClient } from '../shared/client.ts'
import { fill, h, mustFind } from '../shared/dom.ts'
import { forgetKey, keepKey, readKey } from '../shared/key.ts'
import { WEB_LIMITS } from '../shared/limits.ts'
import { poll } from '../shared/poll.ts'
import { isRefusal, type Trouble } from '../shared/problem.ts'
import { follow, type Stream } from '../shared/stream.ts'
import { themeButton } from '../shared/theme.ts'
import { type Choice, hashOf, readChoice } from './choice.ts'
import { createOverview, type OverviewPage } from './overview.ts'
import { createSignIn, refusalWords } from './sign-in.ts'
import { createStatus } from './status.ts'
import { createStory } from './story.ts'
import type { LiveFrame, Story } from './types.ts'

const content = mustFind('#content')
const status = createStatus(() => stream?.retry())
const leave = h(
  'button',
  { type: 'button', class: 'plain', hidden: true, onClick: () => signOut(undefined) },
  'Sign out',
)
fill(mustFind('#status'), status.element, themeButton(), leave)

let client: Client | undefined
let stream: Stream | undefined
let page: { close(): void } | undefined
let overview: OverviewPage | undefined
let frameAtMs = 0

function signIn(key: string): void {
  keepKey(key)
  client = createClient('', { 'x-playhead-key': key })
  leave.hidden = false
  stream?.close()
  stream = follow({
    url: '/v1/live',
    headers: client.headers,
    silentMs: WEB_LIMITS.silentMs,
    onState: (state) => {
      status.stream(state)
      if (state.kind === 'refused') signOut(state.trouble)
      else if (state.kind !== 'open') overview?.dim(frameAtMs > 0)
    },
    onMessage: ({ event, data }) => {
      if (event !== 'audience') return
      const frame = JSON.parse(data) as LiveFrame
      frameAtMs = Date.now()
      status.frame(frame.freshness.stale, frameAtMs)
      overview?.live(frame)
      overview?.dim(false)
    },
  })
  route()
}

function signOut(trouble: Trouble | undefined): void {
  forgetKey()
  stream?.close()
  page?.close()
  ;[client, stream, page, overview] = [undefined, undefined, undefined, undefined]
  leave.hidden = true
  status.stream(undefined)
  fill(content, createSignIn(trouble === undefined ? undefined : refusalWords(trouble.code), signIn))
}

function met(trouble: Trouble | undefined): void {
  if (trouble !== undefined && isRefusal(trouble)) signOut(trouble)
  else status.tables(trouble?.says)
}

function route(): void {
  if (client === undefined) return
  const choice = readChoice(location.hash)
  if (choice.session === undefined && overview !== undefined) {
    overview.choose(choice)
    return
  }
  page?.close()
  overview = undefined
  if (choice.session !== undefined) showStory(client, choice, choice.session)
  else showOverview(client, choice)
}

function showOverview(from: Client, choice: Choice): void {
  overview = createOverview({
    client: from,
    choice,
    onChoice: (next) => {
      location.hash = hashOf(next)
    },
    onTrouble: met,
  })
  page = overview
  document.title = 'Playhead'
  fill(content, h('h1', { class: 'unseen' }, 'Overview'), overview.element)
}

function showStory(from: Client, choice: Choice, session: string): void {
  const panel = createStory(session, hashOf({ ...choice, session: undefined }))
  document.title = `${session} · Playhead`
  fill(content, panel.element)
  content.focus({ preventScroll: true })
  scrollTo(0, 0)
  page = poll({
    everyMs: () => WEB_LIMITS.pollEveryMs,
    ask: async (signal) => {
      const answer = await from.get<Story>(`/v1/qoe/views/${encodeURIComponent(session)}`, {}, signal)
      if (answer === undefined) return undefined
      if (answer.ok) panel.show(answer.value)
      else panel.none(answer.trouble.says)
      const unknown = !answer.ok && answer.trouble.code === 'SESSION_UNKNOWN'
      met(answer.ok || unknown ? undefined : answer.trouble)
      // A session that is new is not in the tables yet: it is asked for as often as one that is.
      return answer.ok || unknown ? undefined : answer.trouble
    },
  })
}

addEventListener('hashchange', () => {
  // A link with a key, opened where there is one already.
  const given = location.hash.startsWith('#key=') ? readKey() : undefined
  if (given !== undefined) signIn(given)
  else route()
})
mustFind('.skip').addEventListener('click', (event) => {
  // The address says what is shown: it stays as it is.
  event.preventDefault()
  content.focus()
})
addEventListener('online', () => stream?.retry())
setInterval(() => {
  const nowMs = Date.now()
  status.tick(nowMs)
  if (frameAtMs > 0 && nowMs - frameAtMs > WEB_LIMITS.staleMs) overview?.dim(true)
}, 1_000)

const key = readKey()
if (key === undefined) signOut(undefined)
else signIn(key)
