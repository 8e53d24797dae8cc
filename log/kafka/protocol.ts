/** What we ask of Kafka and what it answers: the requests that kafkajs encodes, as it names their fields. */

/** Kafka's error codes that decide what we do next. Any other is an error with its own words. */
export const CODE = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  messageTooLarge: 10,
  coordinatorLoading: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  recordListTooLarge: 18,
  illegalGeneration: 22,
  unknownMember: 25,
  rebalanceInProgress: 27,
  topicDenied: 29,
  groupDenied: 30,
  clusterDenied: 31,
  invalidTimestamp: 32,
  topicExists: 36,
  policyViolation: 44,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  unknownProducer: 59,
  memberIdRequired: 79,
  fencedInstance: 82,
  invalidRecord: 87,
} as const

interface Coded {
  readonly errorCode: number
}

interface AskedTopic<P> {
  readonly topic: string
  readonly partitions: readonly P[]
}

export interface MetadataAnswer {
  readonly clusterId: string
  readonly controllerId: number
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number
    readonly topic: string
    readonly isInternal: boolean
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[]
  }[]
}

interface GroupMember {
  readonly memberId: string
  readonly memberMetadata: Buffer
}

export interface JoinAnswer extends Coded {
  readonly generationId: number
  readonly leaderId: string
  readonly memberId: string
  readonly members: readonly GroupMember[]
}

/** Each request by kafkajs' name for it. `LeaveGroup` and the like answer only whether it went well. */
export interface Requests {
  Metadata: {
    /** No topics: all of them. */
    ask: { readonly topics: readonly string[]; readonly allowAutoTopicCreation: false }
    answer: MetadataAnswer
  }
  CreateTopics: {
    ask: {
      readonly topics: readonly {
        readonly topic: string
        readonly numPartitions: number
        readonly replicationFactor: number
        readonly configEntries: readonly { readonly name: string; readonly value: string }[]
      }[]
      readonly validateOnly: false
      readonly timeout: number
    }
    answer: { readonly topicErrors: readonly (Coded & { readonly topic: string; readonly errorMessage: string })[] }
  }
  ListOffsets: {
    ask: {
      readonly replicaId: -1
      readonly isolationLevel: number
      readonly topics: readonly AskedTopic<{ readonly partition: number; readonly timestamp: number }>[]
    }
    answer: {
      readonly responses: readonly AskedTopic<Coded & { readonly partition: number; readonly offset: string }>[]
    }
  }
  DeleteRecords: {
    ask: {
      readonly topics: readonly AskedTopic<{ readonly partition: number; readonly offset: string }>[]
      readonly timeout: number
    }
    answer: {
      readonly topics: readonly AskedTopic<Coded & { readonly partition: number; readonly lowWatermark: string }>[]
    }
  }
  InitProducerId: {
    ask: { readonly transactionalId: null; readonly transactionTimeout: number }
    answer: Coded & { readonly producerId: string; readonly producerEpoch: number }
  }
  GroupCoordinator: {
    ask: { readonly groupId: string; readonly coordinatorType: 0 }
    answer: Coded & { readonly coordinator: { readonly nodeId: number } }
  }
  JoinGroup: {
    ask: {
      readonly groupId: string
      readonly sessionTimeout: number
      readonly rebalanceTimeout: number
      readonly memberId: string
      readonly protocolType: 'consumer'
      readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
    }
    answer: JoinAnswer
  }
  SyncGroup: {
    ask: {
      readonly groupId: string
      readonly generationId: number
      readonly memberId: string
      readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[]
    }
    answer: Coded & { readonly memberAssignment: Buffer }
  }
  Heartbeat: {
    ask: { readonly groupId: string; readonly groupGenerationId: number; readonly memberId: string }
    answer: Coded
  }
  LeaveGroup: { ask: { readonly groupId: string; readonly memberId: string }; answer: Coded }
  OffsetCommit: {
    ask: {
      readonly groupId: string
      readonly groupGenerationId: number
      readonly memberId: string
      readonly topics: readonly AskedTopic<{ readonly partition: number; readonly offset: string }>[]
    }
    answer: { readonly responses: readonly AskedTopic<Coded & { readonly partition: number }>[] }
  }
  OffsetFetch: {
    /** No topics: all that the group has committed. */
    ask: { readonly groupId: string; readonly topics: readonly [] }
    answer: Coded & {
      readonly responses: readonly AskedTopic<Coded & { readonly partition: number; readonly offset: string }>[]
    }
  }
}

export type RequestName = keyof Requests

/** Read committed: records of transactions that other programs have under way are not durable yet. */
export const READ_COMMITTED = 1
