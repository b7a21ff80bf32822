import { reasonOf } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import type { DialOptions } from '../endpoint/connect-options.ts'
import type { Endpoint } from '../endpoint/endpoint.ts'
import type { Session } from '../session/session.ts'
import { urlOfAddress } from './node-address.ts'

/** How the sessions of a client's nodes are made. */
export interface NodeDial {
  readonly endpoint: Endpoint
  readonly options: DialOptions
  /** Number of sessions with each node. */
  readonly perNode: number
}

/** Milliseconds after a failed dial in which no further session is dialled beside those that are open. */
const PAUSE_MS = 1_000
/** Failed dials in a row after which a node is taken for dead. */
const DEAD_AFTER = 5
/** Milliseconds between two dials of a dead node, because otherwise each call would make one, to all nodes in turn. */
const DEAD_PAUSE_MS = 100

/**
 * The sessions with one node. They are dialled when they are needed: one dial serves all calls that wait for it, and a
 * session that was lost is replaced at the next call.
 */
export class NodeSessions {
  readonly address: string
  readonly #how: NodeDial
  readonly #sessions: Session[] = []
  #next = 0
  #dialling: Promise<Session> | undefined
  #failedAt = Number.NEGATIVE_INFINITY
  /** Failed dials in a row, and what the last one failed with. */
  #failures = 0
  #failure: unknown
  readonly #abort = new AbortController()

  constructor(address: string, how: NodeDial) {
    this.address = address
    this.#how = how
  }

  /** Number of sessions that are not closed. */
  get size(): number {
    return this.#sessions.length
  }

  /** Whether the node has said that it is about to close: it takes nothing new, and a dial would most probably fail. */
  get isClosing(): boolean {
    return this.#sessions.some(({ state }) => state === 'draining')
  }

  /** A session that accepts calls now, one after the other; undefined when there is none. */
  open(): Session | undefined {
    const sessions = this.#sessions
    const { perNode } = this.#how
    if (perNode === 1 && sessions.length === 1) return sessions[0].isOpen ? sessions[0] : undefined
    if (sessions.length < perNode) this.#dialMore()
    for (let left = sessions.length; left > 0; left--) {
      this.#next = (this.#next + 1) % sessions.length
      const session = sessions[this.#next]
      if (session.isOpen) return session
    }
    return undefined
  }

  /**
   * Resolves to a session that was just made. Callers that come while it is dialled share it, and those that come just
   * after one of several failed dials in a row get its failure.
   *
   * @throws StatusError (rejects) 105 as `Endpoint.dial`, or what a plugin refuses with; TypeError for an address that
   *   cannot be dialled
   */
  dial(): Promise<Session> {
    const { clock } = this.#how.endpoint
    if (this.#failures >= DEAD_AFTER && clock.now() - this.#failedAt < DEAD_PAUSE_MS) return Promise.reject(this.#failure)
    this.#dialling ??= this.#dial()
      .then(
        (session) => {
          this.#failures = 0
          return session
        },
        (error) => {
          this.#failures++
          this.#failure = error
          this.#failedAt = clock.now()
          throw error
        },
      )
      .finally(() => {
        this.#dialling = undefined
      })
    return this.#dialling
  }

  /** Closes the sessions gracefully, for a node that is gone: open calls are still answered. */
  drain(options?: { timeout?: number | undefined }): Promise<unknown> {
    this.#abort.abort(new Error('the node is no longer registered'))
    return Promise.all(this.#sessions.map((session) => session.close(options)))
  }

  /** Dials a further session while others serve. */
  #dialMore(): void {
    const { clock } = this.#how.endpoint
    if (this.#sessions.length === 0 || this.#dialling !== undefined || this.#abort.signal.aborted) return
    if (clock.now() - this.#failedAt < PAUSE_MS) return
    this.dial().catch(() => {})
  }

  async #dial(): Promise<Session> {
    const { endpoint, options } = this.#how
    const { signal } = this.#abort
    let session: Session
    try {
      const url = urlOfAddress(this.address, options.tls !== undefined)
      const given = { ...options, redial: false, signal }
      if (url.startsWith('unix:')) delete given.tls
      session = await endpoint.dial(url, given)
    } catch (error) {
      if (error instanceof StatusError && error.code !== Code.Canceled) throw error
      // An address that is no address, or a scheme that this transport does not have: other nodes may be better.
      throw new StatusError(Code.DialFailed, statusText(Code.DialFailed), reasonOf(error), { stack: false, unsent: true })
    }
    if (session.state === 'closed')
      throw new StatusError(Code.DialFailed, undefined, 'the connection was lost', { stack: false, unsent: true })
    this.#sessions.push(session)
    session.once('close', () => {
      const at = this.#sessions.indexOf(session)
      if (at >= 0) this.#sessions.splice(at, 1)
    })
    // The other sessions of this node may be those of a server that closes.
    if (signal.aborted) void session.close()
    return session
  }
}
