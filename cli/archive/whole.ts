/** Whether a fold from the start would see everything: a table of less must never pass for the whole. */
import type { EventLog } from '../../log/log.ts'

/** In words, with what to do about it; undefined: everything is there. */
export async function whatIsGone(log: EventLog, topics: readonly string[]): Promise<string | undefined> {
  for (const { topic, partition, start } of (await Promise.all(topics.map((name) => log.bounds(name)))).flat()) {
    if (start === 0n) continue
    const gone = `The log begins at position ${start} of ${topic}/${partition}: what was before has been removed`
    const remedy = 'Set PLAYHEAD_ARCHIVE to the folder of its archive, for this command and for the consumers'
    return `${gone}, and a rebuild would lack it. ${remedy}.`
  }
  return undefined
}
