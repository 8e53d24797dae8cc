/**
 * What browsers load: the dashboard, the demo player and its clip, the SDK. Built files and nothing else; they hold no
 * data and need no key, the page asks for one. `deploy/bundle.mjs` makes them.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../problems.ts'
import { findFile, sendFile } from './file.ts'
import { WEB_LIMITS } from './limits.ts'

export interface WebAssets {
  /** Holds `web/<page>/…` and `sdk/playhead.js`. */
  readonly assetsDir: string
  /** Holds the demo's clip; may be empty, or not be there yet. */
  readonly mediaDir?: string
}

const PAGES = ['dashboard', 'demo'] as const

/** Nothing inline, nothing from elsewhere: a script that gets into the page by its data does not run. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "media-src 'self' blob:; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': `no-cache, max-age=${WEB_LIMITS.assetMaxAgeS}`,
} as const

/** For pages of any origin: it is public, and a module from elsewhere is loaded with CORS. */
const SDK_HEADERS = {
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
  'cache-control': 'public, max-age=300, stale-while-revalidate=86400',
} as const

const MEDIA_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'content-length, content-range',
  'cross-origin-resource-policy': 'cross-origin',
  'cache-control': `public, max-age=${WEB_LIMITS.mediaMaxAgeS}`,
} as const

type FileRequest = FastifyRequest<{ Params: { '*': string } }>

export function addWebRoutes(app: FastifyInstance, { assetsDir, mediaDir }: WebAssets): void {
  const open = new Set<ServerResponse>()
  // A download that nobody reads would keep the server from closing.
  app.addHook('preClose', async () => {
    for (const response of open) response.destroy()
  })
  const serve = async (
    request: FastifyRequest,
    reply: FastifyReply,
    dir: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    missing: string,
  ) => {
    const file = await findFile(dir, path)
    if (file === undefined) throw new Problem('NOT_FOUND', missing)
    open.add(reply.raw)
    reply.raw.once('close', () => open.delete(reply.raw))
    return sendFile(request, reply, file, headers)
  }

  for (const page of PAGES) {
    const dir = `${assetsDir}/web/${page}`
    const missing = `The page is not built: run \`npm run build\`.`
    app.get(`/${page}`, async (_request, reply) => reply.redirect(`/${page}/`))
    app.get(`/${page}/`, async (request, reply) =>
      serve(request, reply, dir, 'index.html', PAGE_HEADERS, `${missing} It belongs in ${page}/.`),
    )
    app.get(`/${page}/*`, async (request: FileRequest, reply) =>
      serve(request, reply, dir, request.params['*'], PAGE_HEADERS, `The page ${page} has no such file.`),
    )
  }
  app.get('/sdk/*', async (request: FileRequest, reply) =>
    serve(
      request,
      reply,
      `${assetsDir}/sdk`,
      request.params['*'],
      SDK_HEADERS,
      'The SDK is /sdk/playhead.js; where that is missing, run `npm run build`.',
    ),
  )
  if (mediaDir !== undefined) {
    app.get('/demo/media/*', async (request: FileRequest, reply) =>
      serve(
        request,
        reply,
        mediaDir,
        request.params['*'],
        MEDIA_HEADERS,
        'No such file of a clip; `playhead demo` makes one where there is an ffmpeg.',
      ),
    )
  }
}

/** A person with a browser, rather than a program. */
export function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html')
}
