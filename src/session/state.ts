/**
 * State of a session.
 *
 * - `preparing`: hooks about the new connection run.
 * - `open`: calls and pushes may be made in both directions.
 * - `draining`: the peer is closing, or this side will reconnect. Nothing new is sent, and what runs finishes.
 * - `redialing`: the connection is lost, and this side reconnects.
 * - `disconnected`: the connection is lost, and this side accepted it: it waits for the peer to reconnect.
 * - `closing`: this side closes, and what runs finishes.
 * - `closed`: the session is closed for good.
 */
export type SessionState = 'preparing' | 'open' | 'draining' | 'redialing' | 'disconnected' | 'closing' | 'closed'

/** The rules of one state. */
interface StateRules {
  /** The states that may follow. */
  readonly next: readonly SessionState[]
  /** Whether the session survives the loss of its connection, where redial or resume allow it. */
  readonly survives: boolean
  /** Whether the session waits for another connection. */
  readonly reconnects: boolean
}

/** The state machine of a session: nothing else decides which state may follow which. */
export const sessionStates: Readonly<Record<SessionState, StateRules>> = {
  preparing: { next: ['open', 'closing', 'closed'], survives: false, reconnects: false },
  open: { next: ['draining', 'redialing', 'disconnected', 'closing', 'closed'], survives: true, reconnects: false },
  draining: { next: ['redialing', 'disconnected', 'closing', 'closed'], survives: true, reconnects: false },
  redialing: { next: ['open', 'closed'], survives: false, reconnects: true },
  disconnected: { next: ['open', 'closed'], survives: false, reconnects: true },
  closing: { next: ['closed'], survives: false, reconnects: false },
  closed: { next: [], survives: false, reconnects: false },
}

/** The state of one session. */
export class StateMachine {
  #state: SessionState

  constructor(state: 'preparing' | 'open') {
    this.#state = state
  }

  get state(): SessionState {
    return this.#state
  }

  get rules(): StateRules {
    return sessionStates[this.#state]
  }

  /**
   * Changes the state.
   *
   * @throws Error for a transition that is not in the table, which is a bug of dmicro
   */
  to(next: SessionState): void {
    if (!this.rules.next.includes(next)) throw new Error(`a session that is ${this.#state} cannot become ${next}`)
    this.#state = next
  }
}
