/** Where nothing was reported yet: how to begin, with lines that can be pasted. */
import { h, say } from '../shared/dom.ts'

export function createWelcome(origin: string): HTMLElement {
  const curl = `curl ${origin}/v1/events -H 'X-Playhead-Key: PUBLISHABLE_KEY' \\
  -H 'Content-Type: application/json' -d '{"events": [
    {"type": "PlaybackStarted", "profileId": "ann", "sessionId": "s-1",
     "titleId": "big-buck-bunny", "sequence": 0, "positionMs": 0},
    {"type": "FirstFrame", "profileId": "ann", "sessionId": "s-1",
     "titleId": "big-buck-bunny", "sequence": 1, "positionMs": 0, "startupMs": 830}]}'`
  const sdk = `<script type="module">
  import { attach } from '${origin}/sdk/playhead.js'
  attach(document.querySelector('video'), {
    url: '${origin}', key: 'PUBLISHABLE_KEY', titleId: 'big-buck-bunny',
  })
</script>`
  const cmcd = `new Hls({ cmcd: {
  version: 2, sessionId: crypto.randomUUID(), contentId: 'big-buck-bunny',
  eventTargets: [{ url: '${origin}/v1/cmcd?key=PUBLISHABLE_KEY',
    events: ['ps', 'e', 't', 'bc', 'pr', 'rr'], interval: 10 }],
} })`
  return h(
    'section',
    { class: 'card welcome', 'aria-labelledby': 'welcome-title' },
    h('h2', { id: 'welcome-title' }, 'Nothing was reported yet'),
    h(
      'p',
      {},
      'Send the first event, and this page fills within two seconds. ',
      h('code', {}, 'playhead keys list'),
      ' shows the publishable key.',
    ),
    h(
      'div',
      { class: 'ways' },
      way('From a terminal', 'Two events are enough for a view with a startup time.', curl),
      way('From a page of yours', 'The SDK attaches to a video element; with a token it resumes as well.', sdk),
      way(
        'From a stock player',
        'hls.js, dash.js and Shaka report by CMCD, with one line of configuration: docs/players.md.',
        cmcd,
      ),
      way('From nobody', 'An audience that is made up, with known numbers.', 'npm run demo'),
    ),
  )
}

function way(title: string, says: string, code: string): HTMLElement {
  const copy = h('button', { type: 'button', class: 'plain' }, 'Copy')
  copy.addEventListener('click', () => {
    navigator.clipboard.writeText(code).then(
      () => say(copy, 'Copied'),
      // Without a secure context there is no clipboard: the text can be marked by hand.
      () => say(copy, 'Mark it by hand'),
    )
  })
  return h(
    'article',
    {},
    h('div', { class: 'way-head' }, h('h3', {}, title), copy),
    h('p', { class: 'means' }, says),
    h('pre', { tabindex: 0, 'aria-label': title }, h('code', {}, code)),
  )
}
