import type { Duplex } from 'node:stream'

/** Messages between the old and the new process. */
type RestartMessage =
  /** New: everything is there, and nothing is accepted yet. */
  | { readonly say: 'prepared' }
  /** Old: accept. A new process that then does not is ended, as is one that is not needed any more. */
  | { readonly say: 'accept' }
  /** New: its listeners accept. */
  | { readonly say: 'accepting' }
  /** New: it ends, and why. */
  | { readonly say: 'failed'; readonly reason: string }
  /** To the first process of a container: the process that serves from now on. */
  | { readonly say: 'successor'; readonly pid: number }

/** Longest line that is read, in UTF-16 units. */
const MAX_LINE = 64 * 1024

/** Lines of JSON between the old and the new process, over a socket that the new one inherits. */
export class RestartChannel {
  readonly #stream: Duplex
  #rest = ''
  #open = true

  /**
   * @param onMessage gets each message; what is no message is dropped
   * @param onEnd called once, when the other process is gone or has closed the channel
   */
  constructor(stream: Duplex, onMessage: (message: RestartMessage) => void, onEnd: () => void) {
    this.#stream = stream
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = (lines.pop() as string).slice(0, MAX_LINE)
      for (const line of lines) {
        const message = parse(line)
        if (message !== undefined) onMessage(message)
      }
    })
    const end = (): void => {
      if (!this.#open) return
      this.#open = false
      onEnd()
    }
    stream.on('error', end)
    stream.on('end', end)
    stream.on('close', end)
  }

  send(message: RestartMessage): void {
    if (this.#open) this.#stream.write(`${JSON.stringify(message)}\n`)
  }

  get isOpen(): boolean {
    return this.#open
  }

  close(): void {
    this.#stream.destroy()
  }

  /** Sets whether the open channel keeps the process alive. */
  keepAlive(on: boolean): void {
    const { ref, unref } = this.#stream as { ref?(): void; unref?(): void }
    ;(on ? ref : unref)?.call(this.#stream)
  }
}

function parse(line: string): RestartMessage | undefined {
  try {
    const message = JSON.parse(line) as RestartMessage
    return typeof message === 'object' && message !== null && typeof message.say === 'string' ? message : undefined
  } catch {
    return undefined
  }
}
