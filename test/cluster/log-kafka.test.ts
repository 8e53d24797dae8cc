import { openKafkaLog } from '../../log/kafka/index.ts'
import { logContract } from '../log/contract.ts'
import { kafka } from './servers.ts'

logContract('Kafka', async () => {
  const broker = await kafka()
  return {
    open: () => openKafkaLog({ brokers: [`${broker.host}:${broker.port}`] }),
    close: () => broker.close(),
  }
})
