import { StatusError } from '../../base/errors/status.ts'
import { silentLogger } from '../../base/log.ts'
import { Endpoint } from '../../endpoint/endpoint.ts'
import type { Session } from '../../session/session.ts'
import type { ControlRoutes } from './routes.ts'

/** Milliseconds to connect to a socket on this machine. */
const DIAL_TIMEOUT_MS = 2000

/** A connection to a running server. */
export class ControlClient {
  readonly #endpoint: Endpoint
  readonly #session: Session

  private constructor(endpoint: Endpoint, session: Session) {
    this.#endpoint = endpoint
    this.#session = session
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

  /**
   * Asks the server.
   * @param timeout milliseconds
   * @throws StatusError (rejects) what the server answered; 408 when it did not in time, 102 when it ended
   */
  call<Name extends keyof ControlRoutes>(name: Name, arg: ControlRoutes[Name][0], timeout: number): Promise<ControlRoutes[Name][1]> {
    return this.#session.call<ControlRoutes[Name][1]>(name, arg ?? null, { timeout })
  }

  close(): Promise<void> {
    return this.#endpoint.close({ timeout: 0 })
  }
}

export function isStatus(error: unknown, code: number): error is StatusError {
  return error instanceof StatusError && error.code === code
}
