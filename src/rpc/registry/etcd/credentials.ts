import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Connection } from './connection.ts'
import { EtcdError, GrpcCode } from './grpc-status.ts'
import { authenticate } from './messages.ts'
import { type CallLimits, unary } from './unary.ts'

/** A user of etcd, and the token that stands for him. */
export class Credentials {
  readonly #name: string
  readonly #password: string
  readonly #clock: Clock
  #token: string | undefined
  #asking: Promise<string> | undefined

  constructor(name: string, password: string, clock: Clock = realClock) {
    this.#name = name
    this.#password = password
    this.#clock = clock
  }

  /**
   * The token for the header of calls, asked for if there is none; undefined where etcd wants none.
   * @throws EtcdError, with code 3 for a wrong name or password
   */
  async token(connection: Connection, limits: CallLimits): Promise<string | undefined> {
    if (this.#token === undefined) {
      this.#asking ??= this.#ask(connection, limits).finally(() => {
        this.#asking = undefined
      })
      this.#token = await this.#asking
    }
    return this.#token || undefined
  }

  /** `token` was refused: the next call asks for another one. */
  refused(token: string | undefined): void {
    if ((this.#token || undefined) === token) this.#token = undefined
  }

  async #ask(connection: Connection, limits: CallLimits): Promise<string> {
    // No token here: etcd 3.4 refuses this very call when it carries one that has expired.
    const headers = { token: undefined, needsLeader: true }
    try {
      return await unary(connection, authenticate, { name: this.#name, password: this.#password }, headers, limits, this.#clock)
    } catch (error) {
      if (error instanceof EtcdError && error.code === GrpcCode.FailedPrecondition && error.message.includes('not enabled')) return ''
      throw error
    }
  }
}
