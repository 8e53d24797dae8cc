/** What alert rules found wrong and is still so. */
import { fill, h } from '../shared/dom.ts'
import { ago } from '../shared/format.ts'
import { WEB_LIMITS } from '../shared/limits.ts'
import type { Incident, Incidents } from './types.ts'

export interface IncidentStrip {
  readonly element: HTMLElement
  show(answer: Incidents): void
}

export function createIncidents(): IncidentStrip {
  const element = h('section', { class: 'incidents', 'aria-label': 'Open incidents', hidden: true })
  let shown = ''
  return {
    element,
    show: ({ incidents, more }) => {
      const text = JSON.stringify(incidents.map(({ incidentId }) => incidentId))
      element.hidden = incidents.length === 0
      if (text === shown) return
      shown = text
      const first = incidents.slice(0, WEB_LIMITS.incidentsShown)
      const left = incidents.length - first.length
      fill(
        element,
        ...first.map(one),
        left > 0 || more ? h('p', { class: 'hint' }, `and ${left}${more ? ' or more' : ''} others`) : null,
      )
    },
  }
}

function one({ severity, summary, dimensions, openedAt }: Incident): HTMLElement {
  const where = Object.entries(dimensions).map(([name, value]) => `${name} ${value}`)
  return h(
    'p',
    { class: `incident severity-${severity}` },
    h('b', {}, severity),
    h('span', {}, summary),
    where.length === 0 ? null : h('span', { class: 'pill' }, where.join(', ')),
    h('small', {}, `open since ${ago(openedAt, Date.now()).replace(' ago', '')}`),
  )
}
