/** What CMCD reports leave out or get wrong. */
import { FAULTS_KEY } from '../../producers/cmcd/index.ts'
import { counted, missing, type Rule, unlessAny, type Verdict } from './rule.ts'
import { type LintView, number, record, type Said, tellsOfAMoment, text } from './said.ts'

export const CMCD: readonly Rule[] = [
  {
    code: 'CMCD_NO_STATE',
    severity: 'error',
    fine: 'CMCD reports say what the player is doing.',
    remedy: 'Configure version 2, the event "ps" and the key "sta": startup and stalls come from changes of state.',
    judge: ({ cmcd }) =>
      none(
        cmcd,
        (report) => tellsOfAMoment(report) && text(report, 'state') !== undefined,
        'No report has sta: some builds of players leave it out.',
      ),
  },
  {
    code: 'CMCD_NO_START',
    severity: 'warning',
    fine: 'CMCD reports begin with starting.',
    remedy:
      'Attach the reporting before the source is loaded, so that the state s (starting) is reported; else startup is only known where the player measures it (msd).',
    judge: ({ cmcd }) =>
      none(
        cmcd,
        (report) =>
          (tellsOfAMoment(report) && text(report, 'state') === 's') || number(report, 'startupMs') !== undefined,
        'No report has the state s, nor msd.',
      ),
  },
  {
    code: 'CMCD_FAULTS',
    severity: 'warning',
    fine: 'CMCD reports are well-formed.',
    remedy: 'GET /v1/cmcd/conformance counts each fault by player and shows an example; most need a newer player.',
    judge: faults,
  },
  {
    code: 'CMCD_NO_SEQUENCE',
    severity: 'warning',
    fine: 'CMCD reports are numbered.',
    remedy: 'Configure the key "sn": then it is seen what was lost, and what was sent twice counts once.',
    judge: ({ cmcd }) => none(cmcd, (report) => number(report, 'sequence') !== undefined, 'No report has sn.'),
  },
  {
    code: 'CMCD_NO_POSITION',
    severity: 'hint',
    fine: 'The position is told.',
    remedy:
      'No stock player sends it. For resume use the SDK, PUT /v1/profiles/ID/progress/TITLE, or the custom key com.playhead-pt in milliseconds.',
    judge: ({ cmcd, own, events }) => {
      // Who reports progress by another way has what it would be for.
      if (own.length > 0 || events.some(({ type }) => type === 'ProgressReported')) return 'moot'
      return none(
        cmcd,
        (report) => number(report, 'positionMs') !== undefined,
        'No report has a position: quality is known, resume is not.',
      )
    },
  },
]

function none(reports: readonly Said[], told: (report: Said) => boolean, says: string): Verdict {
  if (reports.length === 0) return 'moot'
  return reports.some(told) ? 'fine' : missing(says)
}

function faults({ cmcd }: LintView): Verdict {
  if (cmcd.length === 0) return 'moot'
  const counts = new Map<string, number>()
  const wrong = cmcd.filter((report) => {
    const codes = record(report, 'keys')?.[FAULTS_KEY]
    if (typeof codes !== 'string' || codes === '') return false
    for (const code of codes.split(/\s+/)) counts.set(code, (counts.get(code) ?? 0) + 1)
    return true
  })
  const byCode = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, count]) => `${code} ${count}×`)
  return unlessAny(wrong, (count) => `${counted(count, 'report')} with faults: ${byCode.join(', ')}.`)
}
