import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SessionState, StateMachine, sessionStates } from '../../../src/session/state.ts'

const states = Object.keys(sessionStates) as SessionState[]
const beginnings = ['preparing', 'open'] as const

/** The shortest way from a beginning to `goal`, both included; undefined when there is none. */
function wayTo(goal: SessionState): SessionState[] | undefined {
  const ways: SessionState[][] = beginnings.map((first) => [first])
  const seen = new Set<SessionState>(beginnings)
  for (const way of ways) {
    const last = way[way.length - 1]
    if (last === goal) return way
    for (const next of sessionStates[last].next) {
      if (!seen.has(next)) ways.push([...way, next])
      seen.add(next)
    }
  }
  return undefined
}

/** All states that may ever follow `from`. */
function laterThan(from: SessionState): Set<SessionState> {
  const later = new Set<SessionState>()
  const add = (state: SessionState): void => {
    for (const next of sessionStates[state].next) {
      if (later.has(next)) continue
      later.add(next)
      add(next)
    }
  }
  add(from)
  return later
}

/** A machine that went to `state` as the table says. */
function machineIn(state: SessionState): StateMachine {
  const [first, ...rest] = wayTo(state) as SessionState[]
  const machine = new StateMachine(first as 'preparing' | 'open')
  for (const next of rest) machine.to(next)
  assert.equal(machine.state, state)
  return machine
}

test('a session begins in the state it is given', () => {
  for (const first of beginnings) assert.equal(new StateMachine(first).state, first)
})

test('every state can be reached', () => {
  assert.ok(states.length > 5)
  for (const state of states) assert.ok(wayTo(state) !== undefined, state)
})

test('each state is followed by those that the table names, and by no other', () => {
  for (const state of states) {
    for (const next of states) {
      const machine = machineIn(state)
      if (sessionStates[state].next.includes(next)) {
        machine.to(next)
        assert.equal(machine.state, next)
        assert.equal(machine.rules, sessionStates[next])
      } else {
        assert.throws(() => machine.to(next), new Error(`a session that is ${state} cannot become ${next}`))
        assert.equal(machine.state, state, 'a refused transition changes nothing')
        assert.equal(machine.rules, sessionStates[state])
      }
    }
  }
})

test('the table names known states, each once, and none as its own successor', () => {
  for (const state of states) {
    const { next } = sessionStates[state]
    assert.equal(new Set(next).size, next.length, state)
    assert.ok(
      next.every((other) => other !== state && states.includes(other)),
      state,
    )
  }
})

test('every state but closed leads to closed, and closed leads nowhere', () => {
  for (const state of states) assert.equal(laterThan(state).has('closed'), state !== 'closed', state)
  assert.deepEqual(sessionStates.closed.next, [])
})

test('what closes never opens again, and hooks about a new connection run once', () => {
  assert.deepEqual([...laterThan('closing')], ['closed'])
  for (const state of states) assert.ok(!laterThan(state).has('preparing'), state)
})

test('a state survives the loss of its connection just where a state without one may follow', () => {
  const reconnecting = states.filter((state) => sessionStates[state].reconnects)
  assert.deepEqual(reconnecting.sort(), ['disconnected', 'redialing'])
  assert.deepEqual(
    states.filter((state) => sessionStates[state].survives),
    ['open', 'draining'],
  )
  for (const state of states) {
    const { next, survives } = sessionStates[state]
    const possible = reconnecting.filter((other) => next.includes(other))
    assert.deepEqual(possible, survives ? reconnecting : [], `${state}: the side that dialled and the one that accepted go on, or neither`)
  }
})

test('a state without a connection waits for one or gives up: it neither drains nor closes gracefully', () => {
  for (const state of states) {
    const { next, reconnects, survives } = sessionStates[state]
    if (!reconnects) continue
    assert.deepEqual([...next].sort(), ['closed', 'open'], state)
    assert.ok(!survives, `${state}: there is no connection to lose`)
  }
})

test('a state with a connection may lose it: closed follows at once', () => {
  for (const state of states) if (state !== 'closed') assert.ok(sessionStates[state].next.includes('closed'), state)
})
