/**
 * Replay, for whoever has an admin key. Thin: check the question, ask the port, show the answer. An act is durable in the
 * log when it is answered; 202 says that the consumers do what follows.
 */
import type { FastifyInstance } from 'fastify'
import { keyGate } from '../gate.ts'
import { addGenerationRoutes } from './generations.ts'
import { addHistoryRoutes } from './history.ts'
import { addLetterRoutes } from './letters.ts'
import type { ReplayParts, Routes } from './parts.ts'

export function addReplayRoutes(app: FastifyInstance, parts: ReplayParts): void {
  const gate = keyGate(parts.admission, ['admin'])
  const routes: Routes = {
    ...parts,
    gate,
    asker: (request, reason) => ({ by: `key ${gate.callerOf(request).name}`, reason: reason ?? null }),
  }
  addGenerationRoutes(app, routes)
  addLetterRoutes(app, routes)
  addHistoryRoutes(app, routes)
}
