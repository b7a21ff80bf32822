import type { ServerResponse } from 'node:http'
import type { Page } from './pages/page.ts'
import type { ConsoleView } from './view.ts'

/** Pages open at once: further ones are not live. */
const MAX_STREAMS = 32
/** Seconds without a change after which a line is sent all the same, so that a lost connection is noticed. */
const BEAT = 15
/** Seconds after which a page that does not read is given up. */
const PATIENCE = 30

interface Stream {
  readonly response: ServerResponse
  readonly page: Page
  readonly query: URLSearchParams
  /** Text of each section as it was sent last. */
  readonly sent: Map<string, string>
  quiet: number
  waited: number
}

/** The open pages, which are sent what has changed. */
export class Streams {
  readonly #view: ConsoleView
  readonly #failed: (error: unknown) => void
  readonly #open = new Set<Stream>()

  /** @param failed called with what keeps an open page from being made again */
  constructor(view: ConsoleView, failed: (error: unknown) => void) {
    this.#view = view
    this.#failed = failed
  }

  get size(): number {
    return this.#open.size
  }

  /** Sends a page's changes from now on. */
  add(response: ServerResponse, page: Page, query: URLSearchParams): void {
    if (this.#open.size >= MAX_STREAMS) {
      response.writeHead(503, { 'Retry-After': '60' }).end()
      return
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
    const stream: Stream = { response, page, query, sent: new Map(), quiet: 0, waited: 0 }
    this.#open.add(stream)
    this.#changed()
    response.once('close', () => {
      this.#open.delete(stream)
      this.#changed()
    })
    this.#send(stream)
  }

  #changed(): void {
    const isOpen = this.#open.size > 0
    this.#view.state.logs.isOpen = isOpen
    this.#view.samples.open(isOpen)
  }

  /** Sends all pages what has changed. */
  send(): void {
    for (const stream of this.#open) {
      try {
        this.#send(stream)
      } catch (error) {
        // This runs in a timer, where an error would end the process.
        stream.response.destroy()
        this.#failed(error)
      }
    }
  }

  #send(stream: Stream): void {
    const { response, page, query, sent } = stream
    if (response.writableNeedDrain) {
      if (++stream.waited > PATIENCE) response.destroy()
      return
    }
    stream.waited = 0
    const changes: [string, string][] = []
    for (const { id, isLive, body } of page.sections(this.#view, query)) {
      if (!isLive || sent.get(id) === body.text) continue
      sent.set(id, body.text)
      changes.push([id, body.text])
    }
    if (changes.length === 0 && ++stream.quiet < BEAT) return
    stream.quiet = 0
    response.write(`data: ${JSON.stringify(Object.fromEntries(changes))}\n\n`)
  }

  close(): void {
    for (const { response } of this.#open) response.destroy()
  }
}
