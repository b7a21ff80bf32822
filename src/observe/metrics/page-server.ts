import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { runInRoot } from '../../base/async/root-context.ts'
import { nodeHttp, nodeZlib } from '../../base/builtin.ts'
import { reasonOf } from '../../base/errors/error-text.ts'
import { turn } from '../../base/time/clock.ts'
import { limitConnections } from './connections.ts'
import { acceptsGzip, chooseFormat } from './negotiate.ts'
import { contentTypes } from './page-text.ts'
import type { Renderer } from './render.ts'

/** Connections at once, each of which may hold a page in memory for a slow reader. */
const MAX_CONNECTIONS = 64
/** Milliseconds without a byte after which a connection is closed. Servers scrape at least that often. */
const IDLE_TIMEOUT_MS = 65_000
/** Milliseconds in which a request must have arrived. */
const REQUEST_TIMEOUT_MS = 10_000
/** Pages below this many bytes are not compressed. */
const MIN_GZIP_BYTES = 1024

const HEALTH = '/healthz'
const READY = '/readyz'

/** Where the page is served, as the option `listen` says. */
interface PageAddress {
  readonly host: string
  readonly port: number
  readonly path: string
}

/** The plugin of a page, as the page sees it. */
interface PageOwner {
  readonly renderer: Renderer
  /** Whether the process is ready for work. May throw or reject, which means that it is not. */
  isReady(): boolean | Promise<boolean>
  /** Called with what keeps a page from being made. */
  failed(error: unknown): void
}

/**
 * Reads the option `listen`.
 *
 * @throws TypeError for what is no `http:` URL, and for a path that is taken
 */
export function readPageAddress(listen: string): PageAddress {
  const url = typeof listen === 'string' && URL.canParse(listen) ? new URL(listen) : undefined
  if (url?.protocol !== 'http:' || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    throw new TypeError(`option listen must be an address such as http://127.0.0.1:9101, got ${JSON.stringify(listen)}`)
  if (url.pathname === HEALTH || url.pathname === READY)
    throw new TypeError(`option listen: the path ${url.pathname} is taken, so that metrics there could never be read`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return { host, port: url.port === '' ? 80 : Number(url.port), path: url.pathname === '/' ? '/metrics' : url.pathname }
}

/** The HTTP server of the page, with `/healthz` and `/readyz`. It does not keep the process alive. */
export class PageServer {
  readonly #owner: PageOwner
  readonly #address: PageAddress
  #server: Server | undefined

  constructor(owner: PageOwner, address: PageAddress) {
    this.#owner = owner
    this.#address = address
  }

  /**
   * Listens.
   *
   * @returns URL of the server
   * @throws Error (rejects) of the system when it cannot listen
   */
  listen(): Promise<string> {
    return runInRoot(this.#listen, this)
  }

  #listen(): Promise<string> {
    const { host, port } = this.#address
    const server = nodeHttp().createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: IDLE_TIMEOUT_MS },
      (request, response) => {
        this.#answer(request, response).catch((error: unknown) => {
          this.#owner.failed(error)
          if (response.headersSent) response.destroy()
          else send(request, response, 500, 'text/plain; charset=utf-8', Buffer.from(`${reasonOf(error)}\n`))
        })
      },
    )
    limitConnections(server, MAX_CONNECTIONS)
    server.timeout = IDLE_TIMEOUT_MS
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        server.on('error', (error) => this.#owner.failed(error))
        server.unref()
        const bound = server.address()
        const name = host.includes(':') ? `[${host}]` : host
        resolve(`http://${name}:${typeof bound === 'object' && bound !== null ? bound.port : port}`)
      })
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0]
    const known = path === this.#address.path || path === HEALTH || path === READY
    if (!known) return text(request, response, 404, 'not found')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      return text(request, response, 405, 'method not allowed')
    }
    if (path === HEALTH) return text(request, response, 200, 'ok')
    if (path === READY) {
      const ready = await this.#isReady()
      return text(request, response, ready ? 200 : 503, ready ? 'ready' : 'not ready')
    }
    const format = chooseFormat(request.headers.accept)
    let page = await this.#owner.renderer.render(format)
    response.setHeader('Vary', 'Accept, Accept-Encoding')
    if (sizeOf(page) >= MIN_GZIP_BYTES && acceptsGzip(request.headers['accept-encoding'] as string | undefined)) {
      page = await compressed(page)
      response.setHeader('Content-Encoding', 'gzip')
    }
    await sendPieces(request, response, contentTypes[format], page)
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await this.#owner.isReady()) === true
    } catch (error) {
      this.#owner.failed(error)
      return false
    }
  }

  /** Stops listening and closes all connections. */
  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0)
}

async function compressed(pieces: readonly Buffer[]): Promise<readonly Buffer[]> {
  const { createGzip, constants } = nodeZlib()
  const gzip = createGzip({ level: constants.Z_BEST_SPEED })
  const packed: Buffer[] = []
  gzip.on('data', (piece: Buffer) => packed.push(piece))
  for (const piece of pieces) if (!gzip.write(piece)) await new Promise<void>((resolve) => gzip.once('drain', resolve))
  await new Promise<void>((resolve, reject) => gzip.once('end', resolve).once('error', reject).end())
  return packed
}

/** Sends a page piece by piece, because the kernel's copy of a large one takes a slice of the loop too. */
async function sendPieces(request: IncomingMessage, response: ServerResponse, type: string, pieces: readonly Buffer[]): Promise<void> {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': sizeOf(pieces) })
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  for (const piece of pieces) {
    if (response.destroyed) return
    if (response.write(piece)) await turn()
    else await roomIn(response)
  }
  response.end()
}

/** Resolves when a response takes more, or is over because its reader is gone. */
function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      response.off('drain', end).off('close', end)
      resolve()
    }
    response.on('drain', end).on('close', end)
  })
}

function text(request: IncomingMessage, response: ServerResponse, status: number, body: string): void {
  send(request, response, status, 'text/plain; charset=utf-8', Buffer.from(`${body}\n`))
}

/** Sends with the length, without which a page that is cut might be read as a whole one with wrong numbers. */
function send(request: IncomingMessage, response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length })
  if (request.method === 'HEAD') response.end()
  else response.end(body)
}
