/** A role that does as it is told, for the supervisor's tests. Its life is written to the file named first. */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'

const [diary = '', behaviour = ''] = process.argv.slice(2)
const note = (what: string) => appendFileSync(diary, `${what} ${process.pid}\n`)

note('started')
process.on('SIGINT', () => undefined)
process.on('disconnect', () => {
  note('orphaned')
  process.exit(1)
})
process.on('SIGTERM', () => {
  note('drained')
  if (behaviour !== 'never-drains') process.exit(0)
})

switch (behaviour) {
  case 'incurable':
    console.log(JSON.stringify({ level: 60, time: Date.now(), msg: 'port 8080 (PLAYHEAD_PORT) is in use' }))
    process.exit(78)
    break
  case 'crashes-always':
    console.error('not JSON: a stack')
    process.exit(3)
    break
  case 'crashes-once':
    if (!existsSync(`${diary}.crashed`)) {
      writeFileSync(`${diary}.crashed`, '')
      process.send?.({ ready: { port: 1 } }, () => process.exit(3))
    } else process.send?.({ ready: { port: 2 } })
    break
  case 'wants-two':
    process.on('SIGUSR2', () => process.send?.({ wants: { extra: 0 } }))
    process.send?.({ wants: { extra: 2 } })
    process.send?.({ wants: { unknown: 2 } })
    process.send?.({ ready: { port: 7 } })
    break
  case 'never-ready':
    break
  default:
    console.log(JSON.stringify({ level: 30, time: Date.now(), msg: 'hello', port: process.env.GOT_PORT }))
    process.send?.({ ready: { port: 7 } })
}
setInterval(() => undefined, 1_000)
