/** The log's topics. Partition counts never change in place: copy to a new topic, rebuild, promote. */
export const TOPICS = {
  'playback-events': {
    partitions: 4,
    about: 'playback, progress, CMCD, impressions, ads and custom events; by profile',
  },
  'ingest-events': { partitions: 4, about: 'titles, masters, tasks and renditions; by title' },
  'experiment-events': { partitions: 4, about: 'definitions of experiments and their states; by experiment' },
  'exposure-events': { partitions: 4, about: 'who met which variant; by unit' },
  'unit-events': { partitions: 4, about: 'exposures and view revisions re-keyed by unit; derived' },
  'account-events': { partitions: 4, about: 'stream slots; by account' },
  'engine-events': { partitions: 1, about: "operators' actions, incidents, grants, generations; by subject" },
} as const satisfies Record<string, { partitions: number; about: string }>

export type TopicName = keyof typeof TOPICS

export function isTopicName(name: string): name is TopicName {
  return Object.hasOwn(TOPICS, name)
}
