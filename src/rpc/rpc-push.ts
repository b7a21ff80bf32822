import { Code, StatusError } from '../base/errors/status.ts'
import type { PushOptions } from '../message/call-options.ts'
import type { Session } from '../session/session.ts'
import { verdictOf } from './broker/breaker-options.ts'
import type { CallCore } from './call-core.ts'
import { closedError, late, RpcError } from './rpc-error.ts'
import type { NodePick } from './selector/pick.ts'
import type { Candidate } from './selector/strategy.ts'

/** The push that a node is picked for. */
interface PushTarget {
  readonly path: string
  readonly key: string | undefined
  readonly exclude: Candidate[]
}

/**
 * Sends a push to a node, and to another one as long as nothing was sent: a node that cannot be dialled, or whose
 * session is gone, has not got it.
 *
 * @throws RpcError (rejects) what the last node failed with, 503 when none serves, 408 when the registry has not
 *   answered within the timeout of calls
 */
export async function sendPush(core: CallCore, path: string, arg: unknown, options: PushOptions | undefined, key: string | undefined) {
  const target: PushTarget = { path, key, exclude: [] }
  let failure: StatusError | undefined
  let address: string | undefined
  // Each attempt is counted by its session.
  let isCounted = false
  const failed = (error: unknown, node: string | undefined): unknown => {
    if (!isCounted && error instanceof StatusError) core.meter?.notPushed(path, options?.forwarded)
    return wrapped(core, error, node, target.exclude.length)
  }
  if (!core.isClosed && !core.selector.hasNode(core.service, target)) await known(core, failed)
  for (;;) {
    let pick: NodePick
    try {
      if (core.isClosed) throw closedError()
      pick = core.selector.pick(core.service, target)
    } catch (error) {
      throw failed(failure ?? error, address)
    }
    address = pick.candidate.node.address
    try {
      const sessions = core.sessionsOf(pick.candidate)
      const session: Session = sessions.open() ?? (await sessions.dial())
      isCounted = true
      await session.push(path, arg, options)
      pick.cancel() // how long a push takes says nothing
      return
    } catch (error) {
      if (verdictOf(error) === 'failure' && (error as StatusError).code === Code.DialFailed) pick.done(true, 0)
      else pick.cancel()
      target.exclude.push(pick.candidate)
      if (!(error instanceof StatusError) || error.unsent !== true) throw failed(error, address)
      failure = error
    }
  }
}

/** Waits until it is known which nodes there are, at most as long as a call would. */
async function known(core: CallCore, failed: (error: unknown, node: undefined) => unknown): Promise<void> {
  const { clock, selector, service, timeout } = core
  const wait = new AbortController()
  const timer = timeout > 0 ? clock.setTimeout(() => wait.abort(late(undefined)), timeout) : undefined
  try {
    await selector.loaded(service, wait.signal)
  } catch (error) {
    throw failed(error, undefined)
  } finally {
    clock.clearTimeout(timer)
  }
}

function wrapped({ service, isClosed }: CallCore, error: unknown, node: string | undefined, attempts: number): unknown {
  if (!(error instanceof StatusError)) return error
  return new RpcError(isClosed ? closedError() : error, { service, node, attempts })
}
