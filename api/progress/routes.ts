/** The progress routes: write.ts and batch.ts append to the log, read.ts reads the rows that the projection keeps. */
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { addBatchRoute } from './batch.ts'
import type { ProgressParts } from './ports.ts'
import { addReadRoutes } from './read.ts'
import { addWriteRoutes } from './write.ts'

export function addProgressRoutes(
  app: FastifyInstance,
  context: ApiContext,
  own: Pick<ProgressParts, 'writeSeconds'>,
): void {
  const parts: ProgressParts = { ...context, ...own }
  addWriteRoutes(app, parts)
  addBatchRoute(app, parts)
  addReadRoutes(app, context)
}
