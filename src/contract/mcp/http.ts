import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { nodeHttp } from '../../base/builtin.ts'
import { requireNames } from '../../base/check-options.ts'
import type { Described } from '../description.ts'
import { type McpOptions, mcpServers } from './server.ts'
import type { ToolCaller } from './tools.ts'

/** Options of an MCP server over http. */
export interface McpHttpOptions extends McpOptions {
  /**
   * Names by which clients may address the server (`Host`, without the port); `'any'` for all. A page whose name leads
   * to this address would otherwise reach it. Default: localhost and the loopback addresses.
   */
  hosts?: readonly string[] | 'any' | undefined
  /** Origins of pages that may call. Default: none; programs send no origin. */
  origins?: readonly string[] | undefined
}

/** Answers http requests. */
export type McpHandler = (request: IncomingMessage, response: ServerResponse) => void

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * Makes what answers MCP requests of the http protocol, for a server of `node:http` or a route of one. It keeps no
 * sessions, so any number of processes may serve.
 *
 * @throws TypeError (rejects) for bad options
 * @throws Error (rejects) without the package `@modelcontextprotocol/server`
 */
export async function mcpHandler(
  services: Described | readonly Described[],
  caller: ToolCaller,
  options: McpHttpOptions = {},
): Promise<McpHandler> {
  const { hosts = LOOPBACK, origins = [] } = options
  if (hosts !== 'any') requireNames('hosts', hosts)
  requireNames('origins', origins)
  const { sdk, make } = await mcpServers(services, caller, options)
  const { fetch } = sdk.createMcpHandler(make, {})
  return (request, response) => {
    const { host = '', origin } = request.headers
    if (hosts !== 'any' && !hosts.includes(host.replace(/:\d+$/, ''))) return refuse(response, 403, 'this host is not served')
    if (origin !== undefined && !origins.includes(origin)) return refuse(response, 403, 'this origin may not call')
    if (request.method !== 'POST') return refuse(response, 405, 'no session is kept: POST alone')
    answer(fetch, request, response).catch(() => {
      if (response.headersSent) response.destroy()
      else refuse(response, 500, 'internal error')
    })
  }
}

/** Answers a request of Node.js by what answers those of the web. A client that goes away cancels its call. */
async function answer(fetch: (request: Request) => Promise<Response>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const fields = Object.entries(request.headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as [string, string]] : [],
  )
  const answered = await fetch(
    new Request(new URL(request.url ?? '/', 'http://localhost'), {
      method: 'POST',
      headers: fields,
      body: Readable.toWeb(request) as globalThis.ReadableStream,
      duplex: 'half',
      signal: gone.signal,
    } as RequestInit),
  )
  response.writeHead(answered.status, Object.fromEntries(answered.headers))
  if (answered.body === null) response.end()
  else
    Readable.fromWeb(answered.body as ReadableStream)
      .on('error', () => response.destroy())
      .pipe(response)
}

/** A listening MCP server. */
export interface McpListener {
  /** Where clients connect. */
  readonly url: string
  /** Stops listening, and closes connections. */
  close(): Promise<void>
}

/**
 * Serves MCP over http at a url such as `http://127.0.0.1:8080/mcp`; port 0 takes a free one.
 *
 * @throws TypeError (rejects) for a url that is none, and as `mcpHandler`
 */
export async function listenMcp(
  url: string,
  services: Described | readonly Described[],
  caller: ToolCaller,
  options: McpHttpOptions = {},
): Promise<McpListener> {
  const { protocol, hostname, port, pathname } = new URL(url)
  if (protocol !== 'http:') throw new TypeError(`an MCP server listens on http:, got ${protocol}`)
  const handler = await mcpHandler(services, caller, options)
  const server = nodeHttp().createServer((request, response) => {
    if (request.url?.split('?', 1)[0] === pathname) handler(request, response)
    else refuse(response, 404, `MCP is at ${pathname}`)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(port || 80), hostname.replace(/^\[|\]$/g, ''), resolve)
  })
  return {
    url: `http://${hostname}:${(server.address() as AddressInfo).port}${pathname}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function refuse(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'application/json', ...(code === 405 ? { allow: 'POST' } : undefined) })
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message: text }, id: null }))
}
