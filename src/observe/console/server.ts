import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { runInRoot } from '../../base/async/root-context.ts'
import { nodeHttp } from '../../base/builtin.ts'
import { reasonOf } from '../../base/errors/error-text.ts'
import type { Endpoint } from '../../endpoint/endpoint.ts'
import { limitConnections } from '../metrics/connections.ts'
import { Access, headers } from './access.ts'
import type { Html } from './html.ts'
import { documentOf, loginPage, messagePage, type Place } from './layout.ts'
import { calls } from './pages/calls.ts'
import { limits } from './pages/limits.ts'
import { logs } from './pages/logs.ts'
import { overview } from './pages/overview.ts'
import type { Page } from './pages/page.ts'
import { route, routes } from './pages/routes.ts'
import { services } from './pages/services.ts'
import { sessions } from './pages/sessions.ts'
import { script } from './script.ts'
import type { ConsoleState } from './state.ts'
import { Streams } from './streams.ts'
import { style } from './style.ts'
import { tryCall } from './try-call.ts'
import { ConsoleView } from './view.ts'

const pages = new Map<string, Page>([
  ['/', overview],
  ['/sessions', sessions],
  ['/routes', routes],
  ['/route', route],
  ['/calls', calls],
  ['/services', services],
  ['/limits', limits],
  ['/logs', logs],
])
const main = [...pages].filter(([, { isMain }]) => isMain)
const assets = new Map([
  ['/console.css', ['text/css; charset=utf-8', style]],
  ['/console.js', ['text/javascript; charset=utf-8', script]],
])
const MAX_FORM_BYTES = 1_048_576
const MAX_CONNECTIONS = 128
const REQUEST_TIMEOUT_MS = 10_000

/** The HTTP server of the console. It does not keep the process alive. */
export class ConsoleServer {
  readonly #state: ConsoleState
  readonly #access: Access
  readonly #view: ConsoleView
  readonly #streams: Streams
  #server: Server | undefined

  constructor(state: ConsoleState) {
    const { token, hosts, host } = state.settings
    this.#state = state
    this.#access = new Access(token, [...hosts, host])
    this.#view = new ConsoleView(state, this.#access.csrf, () => this.#streams.send())
    this.#streams = new Streams(this.#view, (error) => this.#log('a page of the console failed', error))
  }

  /** Shows an endpoint. */
  add(endpoint: Endpoint): void {
    this.#view.add(endpoint)
    this.#view.samples.start()
  }

  /** @throws Error (rejects) of the system when it cannot listen */
  listen(): Promise<string> {
    return runInRoot(this.#listen, this)
  }

  async #listen(): Promise<string> {
    const { host, port } = this.#state.settings
    const server = nodeHttp().createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#log('a page of the console failed', error)
        if (response.headersSent) response.destroy()
        else send(response, 500, messagePage('The page could not be made; the log says why.'))
      })
    })
    limitConnections(server, MAX_CONNECTIONS)
    this.#server = server
    server.listen(port, host)
    await once(server, 'listening')
    server.on('error', (error) => this.#log('the console failed', error))
    server.unref()
    // Again after a close.
    if (this.#view.meters().size > 0) this.#view.samples.start()
    const bound = server.address()
    const name = host.includes(':') ? `[${host}]` : host
    return `http://${name}:${typeof bound === 'object' && bound !== null ? bound.port : port}`
  }

  #log(text: string, error: unknown): void {
    const [endpoint] = this.#state.endpoints.keys()
    endpoint?.log.error(text, { error: reasonOf(error) })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (!this.#access.isOurs(request))
      return send(response, 403, messagePage('The request came from another page, or by a name that this host does not know.'))
    const [path, search = ''] = (request.url ?? '/').split('?', 2)
    const query = new URLSearchParams(search)
    const asset = assets.get(path)
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (asset !== undefined && isRead) return sendText(response, 200, asset[0], asset[1])
    if (path === '/login' && request.method === 'POST') return this.#logIn(request, response)
    if (!this.#access.isKnown(request) || (isRead && this.#access.hasToken && query.has('token')))
      return this.#askToken(request, response, path, query)
    if (isRead) return this.#show(request, response, path, query)
    if (request.method === 'POST') return this.#act(request, response, path)
    response.setHeader('Allow', 'GET, HEAD, POST')
    send(response, 405, messagePage('The method is not allowed.'))
  }

  /** A link with the token lets the browser in, and leaves no token in its history. */
  #askToken(request: IncomingMessage, response: ServerResponse, path: string, query: URLSearchParams): void {
    const token = query.get('token')
    if (token === null || !this.#access.isToken(token)) {
      send(response, 401, loginPage(token !== null))
      return
    }
    query.delete('token')
    response.setHeader('Set-Cookie', this.#access.cookieFor(request))
    redirect(response, pages.has(path) && query.size > 0 ? `${path}?${query.toString()}` : pages.has(path) ? path : '/')
  }

  async #logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await readForm(request)
    if (!this.#access.isToken(form?.get('token') ?? '')) return send(response, 401, loginPage(true))
    response.setHeader('Set-Cookie', this.#access.cookieFor(request))
    redirect(response, '/')
  }

  #show(request: IncomingMessage, response: ServerResponse, path: string, query: URLSearchParams): void {
    if (path === '/events' && request.method === 'GET') {
      const page = pages.get(query.get('page') ?? '')
      if (page !== undefined) {
        this.#streams.add(response, page, query)
        return
      }
    }
    const page = pages.get(path)
    if (page === undefined) send(response, 404, messagePage('There is no such page.'))
    else this.#sendPage(response, { path, page, query })
  }

  #sendPage(response: ServerResponse, place: Place, result?: Html): void {
    const sections = place.page.sections(this.#view, place.query)
    if (result !== undefined) sections.splice(1, 0, { id: 'result', title: 'Result', isLive: false, body: result })
    send(response, 200, documentOf(place, sections, main))
  }

  async #act(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const form = await readForm(request)
    if (form === undefined) return send(response, 413, messagePage('The form is too large, or is none.'))
    if (!this.#access.isForm(form.get('csrf'))) return send(response, 403, messagePage('The form is out of date: load the page again.'))
    if (this.#state.settings.readOnly) return send(response, 403, messagePage('The console only shows.'))
    if (path === '/sessions/close') {
      const session = this.#view.session(Number(form.get('endpoint')), form.get('id') ?? '')
      // Not awaited: it waits for running handlers.
      session?.close().catch((error: unknown) => this.#log('a session could not be closed', error))
      return redirect(response, '/sessions')
    }
    if (path !== '/route/call') return send(response, 404, messagePage('There is no such form.'))
    const name = form.get('name') ?? ''
    const query = new URLSearchParams({ name, arg: form.get('arg') ?? '' })
    this.#sendPage(response, { path: '/route', page: route, query }, await tryCall(this.#state, form))
  }

  /** Stops listening and closes all connections. */
  async close(): Promise<void> {
    this.#view.samples.stop()
    this.#streams.close()
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }
}

/** Reads a form; undefined for one that is too large or is none. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    // The rest is read too, because otherwise the browser would not read the answer.
    if (size <= MAX_FORM_BYTES) chunks.push(chunk)
  }
  if (size > MAX_FORM_BYTES) return undefined
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

function send(response: ServerResponse, status: number, page: Html): void {
  sendText(response, status, 'text/html; charset=utf-8', page.text)
}

function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text)
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length })
  response.end(body) // nothing is sent of it for HEAD
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { Location: location, 'Content-Length': 0 }).end()
}
