import type { AsyncResource } from 'node:async_hooks'
import { type CallScope, currentCall } from '../base/async/call-context.ts'
import { type Abortable, forgetAbort, whenAborted } from '../base/async/when-aborted.ts'
import { Code, StatusError } from '../base/errors/status.ts'
import { type ClockTimer, microtask } from '../base/time/clock.ts'
import type { CallOptions } from '../message/call-options.ts'
import { canceled } from '../session/pending-call.ts'
import { engineOf, type Session } from '../session/session.ts'
import type { TracedAttempts } from '../session/tracer.ts'
import type { Breaker } from './broker/breaker.ts'
import type { BreakerMap } from './broker/breaker-map.ts'
import { verdictOf } from './broker/breaker-options.ts'
import { contextOfCaller } from './broker/context-free.ts'
import { neverRan } from './broker/retry-policy.ts'
import type { CallCore } from './call-core.ts'
import type { RpcCallOptions } from './client-options.ts'
import { deadlineOf } from './deadline.ts'
import { closedError, late, RpcError } from './rpc-error.ts'
import type { NodeFilter } from './selector/filters/filter.ts'
import type { NodePick } from './selector/pick.ts'
import type { Candidate, Strategy } from './selector/strategy.ts'

/** Stands for the time of a call for which no node was picked yet. */
const NOT_STARTED = Number.NEGATIVE_INFINITY

type Settle = (value: unknown) => void
type Reject = (error: unknown) => void

/**
 * One call of a client, through all of its attempts. As long as its node has a session, an attempt is made at once: no
 * promise and no timer stands between the caller and the session.
 */
export class RpcCall implements Abortable {
  readonly path: string
  readonly key: string | undefined
  readonly strategy: Strategy | undefined
  readonly filters: readonly NodeFilter[] | undefined
  /** Nodes that must not be picked again while there are others. */
  exclude: Candidate[] | undefined = undefined
  // One object is made per call: fields are `private`, not `#`, because initializing a `#` field costs a call each.
  private readonly core: CallCore
  private readonly arg: unknown
  private readonly options: CallOptions | undefined
  private readonly idempotent: boolean
  private readonly full: boolean
  private readonly resolve: Settle
  private readonly reject: Reject
  private readonly trace: TracedAttempts | null
  private readonly isHedge: boolean
  private pick: NodePick | undefined = undefined
  private breaker: Breaker | undefined = undefined
  private parent: CallScope | undefined = undefined
  private caller: AsyncResource | undefined = undefined
  private attempts = 0
  /** Number of times that all nodes have failed. */
  private rounds = 0
  private startedAt = NOT_STARTED
  private sentAt = 0
  /** Failure of the last attempt. */
  private failure: StatusError | undefined = undefined
  /** Number of waits so far: what ends a wait that is over is ignored. */
  private waits = 0
  /** Ends the wait at the call's deadline. */
  private timer: ClockTimer | undefined = undefined
  /** Ends a delay between attempts. */
  private delayTimer: ClockTimer | undefined = undefined
  private listening = false

  constructor(
    core: CallCore,
    path: string,
    arg: unknown,
    options: CallOptions | undefined,
    how: RpcCallOptions | undefined,
    strategy: Strategy | undefined,
    full: boolean,
    resolve: Settle,
    reject: Reject,
    trace: TracedAttempts | null,
    isHedge = false,
  ) {
    this.core = core
    this.path = path
    this.arg = arg
    this.options = options
    this.key = how?.key
    this.strategy = strategy
    this.filters = how?.nodeFilters
    this.idempotent = how?.idempotent === true
    this.full = full
    this.resolve = resolve
    this.reject = reject
    this.trace = trace
    this.isHedge = isHedge
  }

  /** The node of the current attempt. */
  get candidate(): Candidate | undefined {
    return this.pick?.candidate
  }

  start(): void {
    this.parent = currentCall()
    if (this.core.hooked) this.caller = contextOfCaller()
    this.next()
  }

  /** Starts with a node that is picked already. */
  startOn(pick: NodePick, caller: AsyncResource | undefined): void {
    this.startedAt = pick.pickedAt
    this.caller = caller
    this.attempt(pick)
  }

  /** Starts with a node that is picked already, whose breaker has refused the call. */
  startRefused(pick: NodePick, breaker: Breaker, caller: AsyncResource | undefined): void {
    this.startedAt = pick.pickedAt
    this.caller = caller
    this.pick = pick
    this.refused(pick.candidate, breaker)
  }

  /** Continues a call whose first attempt, which was made without this object, has failed. */
  resume(pick: NodePick, error: unknown, breaker: Breaker | undefined, caller: AsyncResource | undefined): void {
    this.startedAt = this.sentAt = pick.pickedAt
    this.caller = caller
    this.pick = pick
    this.breaker = breaker
    this.attempts = 1
    this.failed(error)
  }

  /** Makes the next attempt. */
  private next(): void {
    const { core } = this
    if (core.isClosed) {
      this.giveUp(closedError())
      return
    }
    let pick: NodePick
    try {
      pick = core.selector.pick(core.service, this)
    } catch (error) {
      if (this.startedAt === NOT_STARTED) this.startedAt = core.now()
      this.onNoNode(error)
      return
    }
    // The selector has just asked for the time, and asking costs as much as picking.
    if (this.startedAt === NOT_STARTED) this.startedAt = pick.pickedAt
    this.attempt(pick)
  }

  private attempt(pick: NodePick): void {
    const { core } = this
    const { candidate } = pick
    this.pick = pick
    this.sentAt = pick.pickedAt
    if (core.breakers !== undefined && !this.mayPass(pick, core.breakers)) return
    const sessions = core.sessionsOf(candidate)
    const session = sessions.open()
    if (session !== undefined) this.send(session)
    else if (!sessions.isClosing || !this.passOver(candidate))
      this.until(
        this.inTrace(() => sessions.dial()),
        (dialled) => this.sendLate(dialled),
      )
  }

  private send(session: Session): void {
    const { core } = this
    this.attempts++
    let { options } = this
    if (core.attemptTimeout > 0 || this.waits > 0) options = this.remaining()
    engineOf(session).calls.call(
      this.path,
      this.arg,
      options,
      this.full,
      (value) => this.succeeded(value),
      (error) => this.failed(error),
      0,
      this.trace === null ? undefined : this.trace.next(this.isHedge),
    )
  }

  /** Runs a part of the call that is no attempt. */
  private inTrace<T>(run: () => T): T {
    const { tracer } = this.core
    return this.trace === null || tracer === null ? run() : tracer.run(this.trace.scope, run, undefined)
  }

  private sendLate(session: Session): void {
    this.sentAt = this.core.now()
    this.send(session)
  }

  private succeeded(value: unknown): void {
    const now = this.core.now()
    ;(this.pick as NodePick).done(false, now - this.sentAt, now)
    this.breaker?.onResult(undefined, now)
    this.resolve(value)
  }

  private failed(error: unknown): void {
    const pick = this.pick as NodePick
    const { candidate } = pick
    const verdict = verdictOf(error)
    if (verdict === 'ignore') pick.cancel()
    else pick.done(verdict === 'failure', this.core.now() - this.sentAt)
    this.breaker?.onResult(error)
    this.breaker = undefined
    if (error instanceof StatusError) this.retry(error, candidate, pick.wasEjected)
    else this.reject(error)
  }

  /** Makes another attempt after one on `candidate` failed, if that is allowed. */
  private retry(error: StatusError, candidate: Candidate, wasEjected: boolean): void {
    this.failure = error
    this.exclude ??= []
    this.exclude.push(candidate)
    const elsewhere = this.hasOther()
    if (!elsewhere) this.rounds++
    const isFree = elsewhere && this.isFree(error, candidate, wasEjected)
    const delay = isFree ? 0 : this.core.isClosed ? -1 : this.delayOf(error, elsewhere)
    if (isFree) this.core.stats.failovers++
    if (!elsewhere) this.exclude = undefined
    if (delay < 0) this.giveUp(error, candidate.node.address)
    else this.again(delay)
  }

  /**
   * Whether the next node is tried without asking the policy, whose budget is to keep retries from multiplying the load
   * of servers that are failing. A node that cannot be dialled has got nothing, and one that refuses because it closes
   * is not called again. Calls that were lost with a connection, many at once, are made again once for each connection,
   * unless the node was known to fail.
   */
  private isFree(error: StatusError, candidate: Candidate, wasEjected: boolean): boolean {
    const { core, idempotent, attempts } = this
    if (error.code === Code.DialFailed) return error.unsent === true
    if (error.code === Code.ServiceUnavailable) return neverRan(error) && !core.isConnected(candidate)
    if (error.code !== Code.ConnectionClosed || !idempotent || attempts > 1 || wasEjected) return false
    return core.retry !== undefined && !core.isConnected(candidate)
  }

  private delayOf(error: StatusError, elsewhere: boolean): number {
    const { idempotent, attempts, core, rounds } = this
    if (core.retry === undefined) return -1
    // Nodes that cannot be dialled get no attempt.
    return core.retry.next(error, { attempt: Math.max(attempts, rounds, 1), idempotent, expires: this.expires(), elsewhere })
  }

  /** Whether there is a node that is not excluded. */
  private hasOther(): boolean {
    const { selector, service, isClosed } = this.core
    return !isClosed && selector.hasNode(service, this)
  }

  /** Picks another node, because this one is closing. Returns whether there is one. */
  private passOver(candidate: Candidate): boolean {
    this.exclude ??= []
    this.exclude.push(candidate)
    if (!this.hasOther()) return false
    this.pick?.cancel()
    this.breaker?.onResult(IGNORED)
    this.breaker = undefined
    this.again(0)
    return true
  }

  /** Asks the breaker of the node's method. */
  private mayPass({ candidate, pickedAt }: NodePick, breakers: BreakerMap): boolean {
    const breaker = breakers.get(candidate.node.address, this.path)
    if (breaker.allow(pickedAt)) {
      this.breaker = breaker
      return true
    }
    this.refused(candidate, breaker)
    return false
  }

  private refused(candidate: Candidate, breaker: Breaker): void {
    this.pick?.cancel()
    this.exclude ??= []
    this.exclude.push(candidate)
    this.failure = breaker.refusal()
    if (this.hasOther()) this.again(0)
    else this.giveUp(this.failure, candidate.node.address)
  }

  /** Waits until it is known which nodes there are, or gives up. */
  private onNoNode(error: unknown): void {
    if (this.waits > 0) {
      this.core.stats.unavailable++
      this.giveUp(this.failure ?? error)
      return
    }
    this.until(
      this.inTrace(() => this.core.discover()),
      () => this.next(),
    )
  }

  /** Makes the next attempt after a delay. */
  private again(delay: number): void {
    this.pick = undefined
    const wait = this.beginWait()
    if (delay > 0) this.delayTimer = this.core.clock.setTimeout(() => this.endWait(wait) && this.inContext(), delay)
    // Not at once: an attempt that fails at once must not recurse through all nodes.
    else microtask(() => this.endWait(wait) && this.inContext())
  }

  private inContext(): void {
    if (this.caller === undefined) this.next()
    else this.caller.runInAsyncScope(this.next, this)
  }

  /** Waits for `promise`, at most until the deadline and until the signal fires. */
  private until<T>(promise: Promise<T>, then: (value: T) => void): void {
    const wait = this.beginWait()
    promise.then(
      (value) => {
        if (this.endWait(wait)) then(value)
      },
      (error) => {
        if (!this.endWait(wait)) return
        if (this.pick !== undefined) this.failed(error)
        else this.giveUp(this.core.isClosed ? closedError() : error)
      },
    )
  }

  private beginWait(): number {
    const { clock, now } = this.core
    const expires = this.expires()
    const { signal } = this
    if (expires > 0) this.timer = clock.setTimeout(() => this.abandon(late(this.failure)), Math.max(expires - now(), 1))
    if (signal?.aborted) microtask(() => this.onAbort(signal))
    else if (signal !== undefined) {
      this.listening = true
      whenAborted(signal, this)
    }
    this.core.waiting.add(this)
    return ++this.waits
  }

  private endWait(wait: number): boolean {
    if (wait !== this.waits) return false
    this.core.clock.clearTimeout(this.timer)
    this.core.clock.clearTimeout(this.delayTimer)
    this.core.waiting.delete(this)
    if (this.listening) forgetAbort(this.signal as AbortSignal, this)
    this.listening = false
    return true
  }

  onAbort(signal: AbortSignal): void {
    this.abandon(canceled(signal))
  }

  /** Ends a wait, if there is one: the caller waits no longer, or the client is closed. */
  abandon(error: StatusError): void {
    if (!this.endWait(this.waits)) return
    this.waits++
    const address = this.pick?.candidate.node.address
    if (error.code === Code.HandleTimeout) this.pick?.done(true, this.core.now() - this.sentAt)
    else this.pick?.cancel()
    this.breaker?.onResult(error.code === Code.HandleTimeout ? error : IGNORED)
    this.giveUp(error, address)
  }

  private giveUp(error: unknown, node?: string): void {
    const { service, meter, now } = this.core
    // Each attempt is counted by its session.
    if (meter !== null && this.attempts === 0 && !this.isHedge && error instanceof StatusError)
      meter.notCalled(this.path, error.code, this.startedAt === NOT_STARTED ? 0 : now() - this.startedAt, this.options?.forwarded)
    this.reject(error instanceof StatusError ? new RpcError(error, { service, node, attempts: this.attempts }) : error)
  }

  private get signal(): AbortSignal | undefined {
    return this.options?.signal ?? this.parent?.signal
  }

  /** Deadline by the clock; 0 for none. */
  private expires(): number {
    const limit = deadlineOf(this.options, this.parent, this.startedAt, this.core.timeout)
    return limit === 0 ? 0 : this.startedAt + limit
  }

  /** The options of an attempt, with the time that is left for it. */
  private remaining(): CallOptions {
    const { attemptTimeout, now } = this.core
    const expires = this.expires()
    const left = expires === 0 ? 0 : Math.max(expires - now(), 1)
    const timeout = attemptTimeout === 0 ? left : left === 0 ? attemptTimeout : Math.min(left, attemptTimeout)
    return { ...this.options, timeout, signal: this.signal }
  }
}

/** An outcome that says nothing about a node. */
const IGNORED = new Error('not sent')
