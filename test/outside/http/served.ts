import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type EndpointOptions, StatusError } from '../../../src/index.ts'
import { endpoint, type Kind, once } from '../../support/helpers.ts'

export interface Served {
  /** `http://127.0.0.1:port` */
  url: string
  port: number
  /** How many connections there were since this was asked last. */
  connections(): number
  /** Resolves when `/health` was called for the second time, so that what the first answer meant has happened. */
  checked: Promise<void>
}

/** A listener of ours with the routes that `asked` is about. */
export async function serve(t: TestContext, transport: Kind, options: EndpointOptions = {}): Promise<Served> {
  const server = endpoint(t, { transport, protocol: 'http', ...options })
  server.routeCall('/echo', (value: unknown) => value)
  server.routeCall('/length', (text: string) => text.length)
  server.routeCall('/large', (size: number) => 'x'.repeat(size))
  server.routeCall('/slow', (value: unknown) => wait(50, value))
  const noEffects: object = { safe: true }
  server.routeCall('/hello', (_value: unknown, ctx) => `hello ${ctx.meta.name}`, noEffects)
  server.routeCall('/nothing', () => undefined)
  server.routeCall('/author', (_value: unknown, ctx) => ctx.meta.author)
  server.routeCall('/denied', () => {
    throw new StatusError(403, 'Forbidden', 'not you')
  })
  const { promise: checked, resolve } = once()
  let checks = 0
  server.routeCall('/health', () => {
    if (++checks === 2) resolve()
  })
  let count = 0
  server.on('session', () => count++)
  const { port } = new URL((await server.listen('tcp://127.0.0.1:0')).url)
  const connections = (): number => {
    const before = count
    count = 0
    return before
  }
  return { url: `http://127.0.0.1:${port}`, port: Number(port), connections, checked }
}

/** Status and body of every answer to what a client asks; the same questions are in clients.py, client/main.go and Client.java. */
export const answers = {
  echo: [200, '{"a":[1,"ä水",null]}'],
  denied: [403, '{"code":403,"msg":"Forbidden","cause":"not you"}'],
  missing: [404, '{"code":404,"msg":"Not Found","cause":""}'],
  nothing: [200, ''],
  // By GET.
  hello: [200, '"hello a ü"'],
  author: [200, '"me"'],
  suffix: [200, '[1]'],
  picture: 415,
  malformed: 400,
  // These are lengths of bodies.
  large: [200, 2_000_002],
  upload: [200, '3000000'],
  chunked: [200, '3000000'],
  // All at once.
  many: [...Array(30).keys()].join(),
} as const

/** An answer as a client of Node gives it. */
export interface Answer {
  status: number
  text: string
}

/** Sends a request with these headers: a POST, or a GET when there is no body. A list is a body of unknown length, in parts. */
export type Send = (path: string, body: string | readonly string[] | undefined, headers: Record<string, string>) => Promise<Answer>

/** Asks what `answers` answers. */
export async function ask(send: Send): Promise<Record<keyof typeof answers, unknown>> {
  const json = { 'Content-Type': 'application/json' }
  const pair = async (path: string, body: string | readonly string[] | undefined, headers: Record<string, string> = json) => {
    const { status, text } = await send(path, body, headers)
    return [status, text]
  }
  const long = `"${'y'.repeat(3_000_000)}"`
  const [status, large] = await pair('/large', '2000000')
  return {
    echo: await pair('/echo', '{"a":[1,"ä水",null]}'),
    denied: await pair('/denied', '1'),
    missing: await pair('/missing', '1'),
    nothing: await pair('/nothing', '1'),
    hello: await pair('/hello?name=a%20%C3%BC', undefined, {}),
    author: await pair('/author', '1', { ...json, Author: 'me' }),
    suffix: await pair('/echo', '[1]', { 'Content-Type': 'application/vnd.api+json' }),
    picture: (await pair('/echo', 'GIF89a', { 'Content-Type': 'image/gif' }))[0],
    malformed: (await pair('/echo', '{'))[0],
    large: [status, (large as string).length],
    upload: await pair('/length', long),
    chunked: await pair('/length', [long.slice(0, 1_000_000), long.slice(1_000_000)]),
    many: (await Promise.all(answers.many.split(',').map((i) => pair('/slow', i))))
      .map(([status, text]) => (status === 200 ? text : status))
      .join(),
  }
}
