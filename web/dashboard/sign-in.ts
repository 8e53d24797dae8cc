/** Asks for the key, once; says what was wrong with the one before. */
import { h } from '../shared/dom.ts'
import { WEB_LIMITS } from '../shared/limits.ts'

export function createSignIn(says: string | undefined, onKey: (key: string) => void): HTMLElement {
  const field = h('input', {
    id: 'key',
    type: 'password',
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    maxlength: WEB_LIMITS.keyCharsMax,
    placeholder: 'ph_data_…',
    'aria-describedby': 'key-help',
  })
  const form = h(
    'form',
    { class: 'card sign-in', 'aria-labelledby': 'sign-in-title' },
    h('h1', { id: 'sign-in-title' }, 'Which key?'),
    says === undefined ? null : h('p', { class: 'notice bad', role: 'alert' }, says),
    h('label', { for: 'key' }, 'Data key'),
    field,
    h(
      'p',
      { id: 'key-help', class: 'means' },
      'It begins with ph_data_ and stands in keys.json of the data folder; ',
      h('code', {}, 'playhead keys list'),
      ' shows it. It stays in this tab, and travels in a header only.',
    ),
    h('button', { type: 'submit', class: 'primary' }, 'Show the numbers'),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const key = field.value.trim()
    if (key !== '') onKey(key)
  })
  queueMicrotask(() => field.focus())
  return form
}

/** What to do about a key that is not let in. */
export function refusalWords(code: string): string {
  if (code === 'KEY_NOT_ALLOWED') {
    return 'That key may not read numbers: it is for players. Use the data key, or an admin key.'
  }
  if (code === 'KEY_UNKNOWN') return 'That key is not valid here. It may have been rotated, or be of another engine.'
  return 'The engine asks for a key.'
}
