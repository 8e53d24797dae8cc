import { type FaultCode, type Reading, readReports } from '../../producers/cmcd/index.ts'
import type { Meta } from '../../schemas/index.ts'

export function read(record: string): Reading {
  const [reading] = readReports(record)
  if (reading === undefined) throw new Error('no record')
  return reading
}

export function codes({ faults }: Reading): FaultCode[] {
  return faults.map(({ code }) => code)
}

export const META: Meta = {
  eventId: '0190f5a2-7c3e-7d41-9e6a-3b1c5d7e9f01',
  occurredAt: 1_764_000_000_000,
  receivedAt: 1_764_000_000_123,
  source: 'cmcd',
  appId: 'demo',
  environment: 'production',
  clock: 'trusted',
  sentAt: null,
}
