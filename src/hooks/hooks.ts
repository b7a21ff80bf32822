import { isThenable } from '../base/async/thenable.ts'
import { reasonOf } from '../base/errors/error-text.ts'
import type { StatusError } from '../base/errors/status.ts'
import type { Logger } from '../base/log.ts'
import type { TimeLimit } from '../base/time/clock.ts'
import type { MessageType as BodyType } from '../message/message-type.ts'
import type { Meta } from '../message/meta.ts'
import { within } from './hook-timeout.ts'
import type { CtxSession } from './session-views.ts'

/** Kind of a message that hooks see. */
export type MessageKind = 'call' | 'reply' | 'push'

/** The context of hooks that run before a message is read. */
export interface EarlyContext {
  /** The session of the message. */
  readonly session: CtxSession
}

/** A message that was received, as the hooks around its body see it. */
export interface ReadContext extends EarlyContext {
  /** Whether the message is a CALL, a REPLY or a PUSH. */
  readonly kind: MessageKind
  /** Sequence number of the message; a REPLY has that of its CALL. */
  readonly seq: number
  /**
   * Service method. `afterReadCallHeader` and `afterReadPushHeader` may change it, and with it the route. A REPLY has
   * that of its CALL.
   */
  serviceMethod: string
  /** Status of a REPLY with a failure, whose body is not read; undefined otherwise. */
  readonly status: StatusError | undefined
  /** Meta of the message: string values by key. */
  readonly meta: Meta
  /**
   * For a REPLY, the CALL it answers: the same object as the hooks of that CALL saw. Undefined when no hook saw the
   * CALL, and for a CALL or PUSH.
   */
  readonly request: WriteContext | undefined
  /** Name of the body's codec; '' when the message names none or an unknown one. */
  readonly codec: string
  /** Length of the body as received, in bytes. */
  readonly size: number
  /**
   * A copy of the body's bytes. Bytes that a hook before the body sets are decoded in their place.
   *
   * When no hook and no handler of the message runs any more, only bytes that were read before can still be read.
   *
   * @throws Error when the message is over and its bytes were not read before
   */
  bytes: Uint8Array
  /** The decoded body; undefined before it is decoded. Hooks after the body may replace it. */
  body: unknown
}

/** A message about to be sent. Members that are not readonly may be changed until it is written. */
export interface WriteContext extends EarlyContext {
  /** Whether the message is a CALL, a REPLY or a PUSH. */
  readonly kind: MessageKind
  /** Sequence number of the message; a REPLY has that of its CALL. */
  readonly seq: number
  /** Service method. A REPLY has that of its CALL. */
  readonly serviceMethod: string
  /**
   * Status of a REPLY with a failure; undefined otherwise. When `beforeWriteReply` sets it on a success, it is sent in
   * place of the body.
   */
  status: StatusError | undefined
  /** For a REPLY, the CALL it answers: the same object as the hooks of that CALL saw. Undefined for a CALL or PUSH. */
  readonly request: ReadContext | undefined
  /** Meta to send: string values by key. */
  readonly meta: Record<string, string>
  /**
   * Name of the body's codec; '' for none.
   *
   * @throws TypeError on assignment when no codec has the name
   */
  codec: string
  /** The body, not yet encoded. */
  body: unknown
  /** Type of the body, for codecs that need one; undefined for none. */
  bodyType: BodyType | undefined
  /**
   * Encodes `body` and returns a copy of the bytes that would be sent.
   *
   * @throws TypeError when the message has no codec; otherwise what the codec throws
   */
  encode(): Uint8Array
}

/** A hook about a message. */
export type Hook<Context> = (context: Context) => unknown
/** Compiled hooks in the order they run, or null for none: then a message without hooks costs one comparison. */
export type HookList<Context> = readonly Hook<Context>[] | null

/** Which directions of messages have hooks. Usually none has, and one comparison shows that. */
export interface HookedDirections {
  /** Hooks of received CALLs and of their REPLYs. */
  callsIn: boolean
  /** Hooks of received PUSHes. */
  pushesIn: boolean
  /** Hooks of received REPLYs. */
  repliesIn: boolean
  /** Hooks of CALLs that this side sends. */
  callsOut: boolean
  /** Hooks of PUSHes that this side sends. */
  pushesOut: boolean
}

/** The compiled hooks about messages; `Plugin` describes each. */
export interface MessageHooks extends HookedDirections {
  beforeReadHeader: HookList<EarlyContext>
  afterReadCallHeader: HookList<ReadContext>
  beforeReadCallBody: HookList<ReadContext>
  afterReadCallBody: HookList<ReadContext>
  afterReadPushHeader: HookList<ReadContext>
  beforeReadPushBody: HookList<ReadContext>
  afterReadPushBody: HookList<ReadContext>
  afterReadReplyHeader: HookList<ReadContext>
  beforeReadReplyBody: HookList<ReadContext>
  afterReadReplyBody: HookList<ReadContext>
  beforeWriteCall: HookList<WriteContext>
  afterWriteCall: HookList<WriteContext>
  beforeWriteReply: HookList<WriteContext>
  afterWriteReply: HookList<WriteContext>
  beforeWritePush: HookList<WriteContext>
  afterWritePush: HookList<WriteContext>
}

/**
 * Runs hooks in order. The first that throws or rejects stops the rest.
 *
 * @param limit time that each hook may take to settle; after it the hook has failed with 408
 * @returns a promise when a hook returned one, otherwise undefined
 * @throws what the first failing hook throws
 */
export function runHooks<Context>(hooks: HookList<Context>, context: Context, limit: TimeLimit): Promise<unknown> | undefined {
  if (hooks === null) return undefined
  for (let i = 0; i < hooks.length; i++) {
    const waiting = pendingResult(hooks[i](context), limit)
    if (waiting === undefined) continue
    return i + 1 === hooks.length ? waiting : runRest(hooks, i + 1, waiting, context, limit)
  }
  return undefined
}

/**
 * Waits for a hook's result if it is a promise.
 *
 * On the paths of all messages a list of one hook is run as `pendingResult(list[0](context), limit)`, written out in
 * each place: V8 optimizes each call site for the function it calls. Through the one call site in `runHooks` all hooks
 * pass, which costs about 10 ns each.
 *
 * @returns undefined when there is nothing to wait for
 */
export function pendingResult(result: unknown, limit: TimeLimit): Promise<unknown> | undefined {
  return result === undefined || !isThenable(result) ? undefined : within(result, limit)
}

async function runRest<Context>(
  hooks: readonly Hook<Context>[],
  next: number,
  waiting: Promise<unknown>,
  context: Context,
  limit: TimeLimit,
): Promise<void> {
  await waiting
  for (let i = next; i < hooks.length; i++) {
    const more = pendingResult(hooks[i](context), limit)
    if (more !== undefined) await more
  }
}

/** Logs a late failure of an `afterWrite*` hook. The message is copied first, because the hook still reads it. */
export function logLateFailure(out: WriteContext & { retain(): void }, waiting: Promise<unknown>, log: Logger): void {
  out.retain()
  waiting.catch((error) => hookFailed(out, error, log))
}
/** Logs the failure of a hook that changes nothing. */

export function hookFailed({ serviceMethod }: WriteContext, error: unknown, log: Logger): void {
  log.warn('a plugin failed', { method: serviceMethod, error: reasonOf(error) })
}
