/**
 * The demo player: one viewer with two devices. The first plays with the SDK attached; the second hears of it from the
 * engine and takes over; below is what arrived, read back. Keys come in the fragment, from `playhead demo`.
 */
import '../shared/base.css'
import './demo.css'
import { createClient } from '../shared/client.ts'
import { fill, h, mustFind, say } from '../shared/dom.ts'
import { clock } from '../shared/format.ts'
import { keepKey, takeFragment } from '../shared/key.ts'
import { WEB_LIMITS } from '../shared/limits.ts'
import { follow } from '../shared/stream.ts'
import { themeButton } from '../shared/theme.ts'
import { createDevice } from './device.ts'
import { createFeed } from './feed.ts'
import { createSecond, type Progress } from './second.ts'

const TITLE = 'demo-clip'
const CLIP = '/demo/media/master.m3u8'
const NAME = 'playhead.demo'

const content = mustFind('#content')
fill(mustFind('#status'), h('a', { class: 'plain-link', href: '/dashboard/' }, 'Dashboard'), themeButton())

interface Given {
  readonly key: string
  readonly token: string
  readonly profile: string
}

/** Kept for this tab, so that it can be loaded anew. */
function given(): Given | undefined {
  const parts = takeFragment(['key', 'token', 'profile'])
  const [key, token, profile] = [parts.get('key'), parts.get('token'), parts.get('profile')]
  if (key !== undefined && token !== undefined && profile !== undefined) {
    keepKey(key)
    sessionStorage.setItem(NAME, JSON.stringify({ key, token, profile }))
    return { key, token, profile }
  }
  const kept = sessionStorage.getItem(NAME)
  return kept === null ? undefined : (JSON.parse(kept) as Given)
}

function notice(title: string, ...says: readonly (string | Node)[]): void {
  fill(content, h('div', { class: 'card alone' }, h('h1', {}, title), h('p', {}, ...says)))
}

async function begin(): Promise<void> {
  const parts = given()
  if (parts === undefined) {
    notice('No viewer', 'Open the address that ', h('code', {}, 'playhead demo'), ' shows: it holds the token of one.')
    return
  }
  const clip = await fetch(CLIP, { method: 'HEAD' })
  if (!clip.ok) {
    notice(
      'No clip to play',
      'A clip is made by ffmpeg, once, and there is none here. Set FFMPEG_PATH, or install one, and start ',
      h('code', {}, 'playhead demo'),
      ' again. The dashboard runs without it.',
    )
    return
  }
  show(parts)
}

function show({ key, token, profile }: Given): void {
  const feed = createFeed(createClient('', { 'x-playhead-key': key }))
  const trouble = h('p', { class: 'notice bad', role: 'status', hidden: true })
  const tellTrouble = (says: string) => {
    trouble.hidden = false
    say(trouble, says)
  }
  const remote = h('p', { class: 'notice', role: 'status', hidden: true })
  const common = { clip: CLIP, titleId: TITLE, profileId: profile, token, onTrouble: tellTrouble }
  const first = createDevice({
    ...common,
    id: 'laptop',
    onSession: (id) => {
      feed.follow(id, 'laptop')
      storyLink.href = `/dashboard/#/view/${encodeURIComponent(id)}`
      storyLink.hidden = false
    },
    onRemote: () => undefined,
  })
  const phone = createDevice({
    ...common,
    id: 'phone',
    onSession: (id) => feed.follow(id, 'phone'),
    onRemote: () => undefined,
  })
  const storyLink = h('a', { hidden: true, href: '/dashboard/' }, 'This session on the dashboard')
  const back = h('button', { type: 'button', class: 'primary', hidden: true }, 'Take it back here')
  const second = createSecond({
    device: phone,
    onStart: async () => {
      await first.stop()
      back.hidden = false
    },
    // From where the phone was: the engine knows, and the SDK asks it.
    onStop: () => {
      back.hidden = true
      remote.hidden = true
      first.start()
    },
  })
  back.addEventListener('click', second.putAway)
  fill(
    content,
    h('h1', { class: 'unseen' }, 'Demo player'),
    trouble,
    h(
      'div',
      { class: 'devices' },
      h(
        'section',
        { class: 'card first', 'aria-labelledby': 'first-title' },
        h('div', { class: 'device-head' }, h('h2', { id: 'first-title' }, 'This device'), storyLink),
        first.element,
        remote,
        back,
      ),
      second.element,
    ),
    feed.element,
  )
  follow({
    url: `/v1/profiles/${encodeURIComponent(profile)}/live`,
    // As one that comes back: then it is told how things stand, and not only what changes.
    headers: { authorization: `Bearer ${token}`, 'last-event-id': 'ready' },
    silentMs: WEB_LIMITS.silentBeatMs,
    onState: ({ kind }) => {
      second.connected(
        kind === 'open' ? 'hears of progress live' : kind === 'refused' ? 'its token is not let in' : 'connecting…',
      )
    },
    onMessage: ({ event, data }) => {
      if (event !== 'progress') return
      const progress = JSON.parse(data) as Progress
      if (progress.titleId !== TITLE) return
      second.hear(progress)
      remote.hidden = first.on || progress.device !== 'phone'
      say(remote, `Now on the phone, at ${clock(progress.positionMs)}.`)
    },
  })
  setInterval(() => second.tick(Date.now()), 1_000)
  first.start()
}

begin().catch(reportError)
