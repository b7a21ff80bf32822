import { reasonOf } from '../../../base/errors/error-text.ts'
import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { TlsDialOptions } from '../../../transports/tls/options.ts'
import { Connection, type Endpoint } from './connection.ts'
import { unavailable } from './grpc-status.ts'

/** A connection with one of several servers, and with another one when that fails. */
export class Channel {
  readonly #endpoints: readonly Endpoint[]
  readonly #tls: TlsDialOptions | undefined
  readonly #timeout: number
  readonly #clock: Clock
  readonly #open = new Set<Connection>()
  #next: number
  #current: Connection | undefined
  #dialling: Promise<Connection> | undefined
  #closed = false
  #connects = 0

  /** @param timeout milliseconds for one connection to come about */
  constructor(endpoints: readonly Endpoint[], tls: TlsDialOptions | undefined, timeout: number, clock: Clock = realClock) {
    this.#endpoints = endpoints
    this.#tls = tls
    this.#timeout = timeout
    this.#clock = clock
    // Many clients with one list shall not all meet at its first server.
    this.#next = Math.floor(clock.random() * endpoints.length)
  }

  /** Number of connections that came about. */
  get connects(): number {
    return this.#connects
  }

  /**
   * The connection for new calls. Dials when there is none, each server once.
   * @throws EtcdError with code 14
   */
  async connection(): Promise<Connection> {
    if (this.#closed) throw unavailable('it is closed')
    if (this.#current?.isUsable) return this.#current
    this.#dialling ??= this.#dial().finally(() => {
      this.#dialling = undefined
    })
    return this.#dialling
  }

  /** A call on `connection` failed in a way that another server may not: new calls go to the next one. */
  failed(connection: Connection): void {
    if (this.#current !== connection) return
    this.#current = undefined
    this.#next++
    connection.retire()
  }

  close(): void {
    this.#closed = true
    this.#current = undefined
    for (const connection of this.#open) connection.destroy('it is closed')
    this.#open.clear()
  }

  async #dial(): Promise<Connection> {
    const reasons: string[] = []
    for (let tries = 0; tries < this.#endpoints.length && !this.#closed; tries++) {
      const endpoint = this.#endpoints[this.#next % this.#endpoints.length]
      try {
        const connection = await Connection.open(endpoint, this.#tls, this.#timeout, this.#clock)
        return this.#use(connection)
      } catch (error) {
        reasons.push(reasonOf(error))
        this.#next++
      }
    }
    throw unavailable(this.#closed ? 'it is closed' : reasons.join('; '))
  }

  #use(connection: Connection): Connection {
    for (const each of this.#open) if (!each.isOpen) this.#open.delete(each)
    this.#open.add(connection)
    if (this.#closed) {
      this.close()
      throw unavailable('it is closed')
    }
    this.#connects++
    this.#current = connection
    return connection
  }
}
