import { EventEmitter, once } from 'node:events'
import { type Endpoint, StatusError } from '../../src/index.ts'
import { BenchmarkMessage } from '../protobuf/messages.ts'

/** Of the filter aes, in `go/main.go` too. */
export const aesKey = '1234567890123456'

/** Pushed texts in the order their handlers ran, and a way to wait for them. */
export class Notebook {
  readonly #notes: string[] = []
  readonly #grew = new EventEmitter().setMaxListeners(0)

  add(note: string): void {
    this.#notes.push(note)
    this.#grew.emit('note')
  }

  get length(): number {
    return this.#notes.length
  }

  /** Waits until there are `count` notes. Requests run concurrently, so a CALL may overtake the PUSH before it. */
  async atLeast(count: number): Promise<string[]> {
    while (this.#notes.length < count) await once(this.#grew, 'note')
    return this.#notes.slice()
  }
}

interface Failure {
  code: number
  msg: string
  cause: string
}

/** The routes of `./go/README.md`, as a Node server offers them to a Go client. */
export function offerServerRoutes(endpoint: Endpoint): void {
  const notes = new Notebook()
  endpoint.routeCall('/math/add', (nums: number[] | undefined) => (nums ?? []).reduce((a, b) => a + b, 0))
  endpoint.routeCall('/echo/any', (value: unknown) => value)
  endpoint.routeCall('/echo/text', (value: string | undefined) => value)
  endpoint.routeCall('/echo/bytes', (value: unknown) => value)
  const types = { arg: BenchmarkMessage, result: BenchmarkMessage }
  endpoint.routeCall('/proto/echo', (message) => Object.assign(message, { Field1: 'OK' }), types)
  endpoint.routeCall('/proto/same', (message) => message, types)
  const echoes = ['/form/values', '/form/person', '/xml/order', '/xml/int', '/xml/float', '/xml/bool']
  for (const name of echoes) endpoint.routeCall(name, (value: unknown) => value)
  endpoint.routeCall('/status/fail', (failure: Failure) => {
    throw new StatusError(failure.code, failure.msg, failure.cause)
  })
  endpoint.routeCall('/status/panic', (text: string) => {
    throw new Error(text)
  })
  endpoint.routeCall('/meta/echo', (set: Record<string, string> | undefined, ctx) => {
    const seen = { ...ctx.meta }
    ctx.setMeta('echo-count', String(Object.keys(seen).length))
    for (const [key, value] of Object.entries(set ?? {})) ctx.setMeta(key, value)
    return seen
  })
  endpoint.routeCall('/call/back', (n: number, ctx) => ctx.session.call<number>('/client/double', n))
  endpoint.routeCall('/push/back', async (n: number, ctx) => {
    for (let i = 1; i <= n; i++) await ctx.session.push('/client/note', `note ${i}`)
    return n
  })
  endpoint.routeCall('/slow', (ms: number) => new Promise((resolve) => setTimeout(resolve, ms, ms)))
  endpoint.routePush('/note', (text: string) => notes.add(text))
  endpoint.routeCall('/note/list', (count: number) => notes.atLeast(count))
}

/** What a server calls back; returns what it pushed. */
export function offerClientRoutes(endpoint: Endpoint): Notebook {
  const notes = new Notebook()
  endpoint.routeCall('/client/double', (n: number) => 2 * n)
  endpoint.routePush('/client/note', (text: string) => notes.add(text))
  return notes
}
