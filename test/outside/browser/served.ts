import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import { Endpoint, heartbeatPong, type Session } from '../../../src/index.ts'

const types: Readonly<Record<string, string>> = { js: 'text/javascript', html: 'text/html' }

/** A server of pages and of what they call. */
export interface Served {
  readonly origin: string
  readonly url: string
  readonly endpoint: Endpoint
  /** Sockets of WebSockets that were accepted, in order. */
  readonly sockets: Duplex[]
  /** Sessions that were accepted, in order; those that were resumed are not accepted again. */
  readonly sessions: Session[]
}

/** An endpoint with what `check` of project/checks.js calls. */
export function checkedEndpoint(transport: 'native' | 'js'): Endpoint {
  const endpoint = new Endpoint({ transport, plugins: [heartbeatPong()] })
  endpoint.routeCall('/echo', (value) => value)
  endpoint.routeCall('/meta', (_, ctx) => ctx.setMeta('a', ctx.meta.a))
  endpoint.routeCall('/back', (number, { session }) => session.call('/page/twice', number))
  endpoint.routeCall('/back-fails', (_, { session }) => session.call('/page/fail'))
  endpoint.routeCall('/never', () => new Promise(() => {}))
  endpoint.routePush('/tell', (text, { session }) => session.push('/page/tell', text))
  return endpoint
}

/** Serves the files of `folders`, an empty page at `/`, and `/dmicro.js`. */
export async function serve(t: TestContext, ...folders: string[]): Promise<Served> {
  const endpoint = checkedEndpoint('js')
  const sessions: Session[] = []
  endpoint.on('session', (session) => sessions.push(session))
  const dist = join(import.meta.dirname, '../../../dist')
  const imports = `<script type="importmap">{ "imports": { "dmicro/browser": "/browser.js" } }</script>`
  const http = createServer(async ({ url = '/' }, response) => {
    const path = normalize(url)
    for (const folder of path === '/' ? [] : [...folders, dist]) {
      const content = await readFile(join(folder, path)).catch(() => undefined)
      if (content === undefined) continue
      response.setHeader('Content-Type', types[path.split('.').at(-1)!] ?? 'text/plain').end(content)
      return
    }
    response
      .writeHead(path === '/' ? 200 : 404, { 'Content-Type': 'text/html' })
      .end(`<!doctype html><title>page</title>${path === '/' ? imports : ''}`)
  })
  const sockets: Duplex[] = []
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.push(socket)
    void endpoint.upgrade(request, socket, head, { protocols: ['raw', 'json'], websocket: { path: '/rpc', origins: '*' } })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    await endpoint.close({ timeout: 0 })
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  })
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  return { origin, url: `${origin.replace('http', 'ws')}/rpc`, endpoint, sockets, sessions }
}
