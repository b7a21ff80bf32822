import { Code, StatusError } from '../../base/errors/status.ts'
import { silentLogger } from '../../base/log.ts'
import { Endpoint } from '../../endpoint/endpoint.ts'
import { bytes } from '../../message/message-type.ts'
import type { Session } from '../../session/session.ts'
import type { SandboxInfo } from '../ctl/commands.ts'
import { fromGoInfos } from '../ctl/go-routes.ts'
import { ALL_LEVELS, type LogEntry, type LogFilter } from '../ctl/log-entry.ts'
import type { LogBatch } from '../ctl/log-stream.ts'
import { type ControlRoutes, GO_CLIENT_LINES, GO_SERVER_LINES, LOG_LINES } from './routes.ts'

/** Milliseconds to connect to a socket on this machine. */
const DIAL_TIMEOUT_MS = 2000

/** Receives lines of the log. */
interface LineReader {
  /** Lines of a server of this package. The next ones come when the promise has resolved. */
  onLines(batch: LogBatch): unknown
  /** Text of a Go server, which has line ends of its own. */
  onText(text: string): void
}

/** A connection to a running server. */
export class ControlClient {
  readonly #endpoint: Endpoint
  readonly #session: Session
  /** Receives the log while it is followed. */
  reader: LineReader | undefined
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>
  #isGo: boolean | undefined
  #server = 0

  private constructor(endpoint: Endpoint, session: Session) {
    this.#endpoint = endpoint
    this.#session = session
    this.closed = new Promise((resolve) => session.once('close', () => resolve()))
    endpoint.routeCall(LOG_LINES, async (batch: LogBatch) => {
      await this.reader?.onLines(batch)
      return null
    })
    const onText = (text: Uint8Array): void => this.reader?.onText(Buffer.from(text).toString())
    for (const name of [GO_CLIENT_LINES, GO_SERVER_LINES]) endpoint.routePush(name, onText, { arg: bytes })
  }

  /** Connects to the socket of a server; resolves to undefined when nobody listens there. */
  static async dial(path: string): Promise<ControlClient | undefined> {
    const endpoint = new Endpoint({ transport: 'js', protocol: 'protobuf', log: silentLogger })
    try {
      return new ControlClient(endpoint, await endpoint.dial(`unix://${path}`, { timeout: DIAL_TIMEOUT_MS }))
    } catch {
      await endpoint.close({ timeout: 0 })
      return undefined
    }
  }

  get isOpen(): boolean {
    return this.#session.isOpen
  }

  /**
   * Asks the server.
   * @param timeout milliseconds
   * @throws StatusError (rejects) what the server answered; 408 when it did not in time, 102 when it ended
   */
  call<Name extends keyof ControlRoutes>(name: Name, arg: ControlRoutes[Name][0], timeout: number): Promise<ControlRoutes[Name][1]> {
    return this.#session.call<ControlRoutes[Name][1]>(name, arg ?? null, { timeout })
  }

  /** Whether the server is one of Go, which knows fewer commands. */
  async isGo(timeout: number): Promise<boolean> {
    this.#isGo ??= await this.call('/dserver/version', undefined, timeout).then(
      ({ pid }) => {
        this.#server = pid
        return false
      },
      (error) => {
        if (isStatus(error, Code.NotFound)) return true
        throw error
      },
    )
    return this.#isGo
  }

  /** The process of the server; 0 for one of Go, which does not tell. */
  async server(timeout: number): Promise<number> {
    await this.isGo(timeout)
    return this.#server
  }

  async info(timeout: number): Promise<SandboxInfo[]> {
    if (await this.isGo(timeout)) return fromGoInfos(await this.call('/ctl/info', undefined, timeout))
    return this.call('/dserver/info', undefined, timeout)
  }

  async change(action: 'start' | 'stop' | 'reload', name: string, timeout: number): Promise<void> {
    if (await this.isGo(timeout)) await this.call(`/ctl/${action}`, name, timeout)
    else await this.call(`/dserver/${action}`, name, timeout)
  }

  async setDebug(on: boolean, timeout: number): Promise<void> {
    await this.call((await this.isGo(timeout)) ? '/ctl/debug' : '/dserver/debug', on, timeout)
  }

  /** The last lines of the log, of a Go server none; with `follow` the new ones then come to `reader`. */
  async log(filter: LogFilter, lines: number, follow: boolean, timeout: number): Promise<LogEntry[]> {
    if (!(await this.isGo(timeout))) return this.call('/dserver/log', { ...filter, lines, follow }, timeout)
    if (follow) await this.call('/ctl/open_logger', filter.mask & ALL_LEVELS, timeout)
    else await this.call('/ctl/close_logger', undefined, timeout)
    return []
  }

  close(): Promise<void> {
    return this.#endpoint.close({ timeout: 0 })
  }
}

export function isStatus(error: unknown, code: number): error is StatusError {
  return error instanceof StatusError && error.code === code
}
