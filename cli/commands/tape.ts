/** `playhead tape check`: whether a client of the protocol sends what it should. */
import { createCodec } from '../../schemas/index.ts'
import { UsageError } from '../args.ts'
import { type Command, JSON_FLAG } from '../command.ts'
import { checkRecording } from '../tape/check.ts'
import { readRecording } from '../tape/recorded.ts'
import { readTape } from '../tape/tape.ts'

export const check: Command = {
  name: 'tape check',
  about: `TAPE is a file of docs/tapes: a scenario with its requests. RECORDED is what your client sent when it played that
scenario: a HAR file, or a JSON list of {"method", "path", "headers", "body"}. Times and packing may differ; what happened, in
which order, what is counted, and what GET /v1/sessions/ID/lint would say, may not. Exit code 1 if something has to be put
right.`,
  positionals: [{ name: 'TAPE' }, { name: 'RECORDED' }],
  flags: [JSON_FLAG],
  examples: ['playhead tape check docs/tapes/stall.json recorded.har'],
  run: async (args, io) => {
    const tape = readTape(args.positional('TAPE')!)
    if (tape.recording.some(({ path }) => path.startsWith('/v1/cmcd'))) {
      throw new UsageError('Of CMCD, GET /v1/cmcd/conformance tells what a player gets wrong.', 'tape check')
    }
    const verdict = checkRecording(await createCodec(), tape, readRecording(args.positional('RECORDED')!))
    if (args.has('json')) io.out(`${JSON.stringify({ tape: tape.name, ...verdict }, undefined, 2)}\n`)
    else {
      for (const { titleId, events, moments } of verdict.views) {
        io.out(`${titleId}: ${events} events: ${moments.join(', ')}\n`)
      }
      for (const problem of verdict.problems) io.out(`✗ ${problem}\n`)
      if (verdict.problems.length === 0) io.out(`✓ as in "${tape.name}": ${tape.title}\n`)
    }
    return verdict.problems.length === 0 ? 0 : 1
  },
}
