/**
 * `preparing`: hooks about the new connection run. `draining`: the peer is about to close, or this side is about to reconnect; nothing new is sent, what
 * runs goes on. `redialing`: the connection is lost, and this side reconnects. `disconnected`: the same for the side that accepted it, which waits for
 * the peer to reconnect. `closing`: this side closes, and lets what runs finish.
 */
export type SessionState = 'preparing' | 'open' | 'draining' | 'redialing' | 'disconnected' | 'closing' | 'closed'

/** What a state means for the rest of a session. */
interface StateRules {
  /** The states that may follow. */
  readonly next: readonly SessionState[]
  /** It has a connection whose loss is not the end, where redial or resume can go on. */
  readonly survives: boolean
  /** It waits for another connection. */
  readonly reconnects: boolean
}

/** The state machine of a session: nothing else decides what may follow what. */
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

  /** @throws Error for a transition that is not in the table: a bug of ours */
  to(next: SessionState): void {
    if (!this.rules.next.includes(next)) throw new Error(`a session that is ${this.#state} cannot become ${next}`)
    this.#state = next
  }
}
