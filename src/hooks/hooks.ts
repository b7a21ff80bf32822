import { isThenable } from '../base/async/thenable.ts'
import { reasonOf } from '../base/errors/error-text.ts'
import type { StatusError } from '../base/errors/status.ts'
import type { Logger } from '../base/log.ts'
import type { TimeLimit } from '../base/time/clock.ts'
import type { MessageType as BodyType } from '../message/message-type.ts'
import type { Meta } from '../message/meta.ts'
import { within } from './hook-timeout.ts'
import type { CtxSession } from './session-views.ts'

export type MessageKind = 'call' | 'reply' | 'push'

/** What a hook sees before a message is read. */
export interface EarlyContext {
  readonly session: CtxSession
}

/** A message that was received, as the hooks around its body see it. */
export interface ReadContext extends EarlyContext {
  readonly kind: MessageKind
  readonly seq: number
  /** Of a CALL or PUSH header hooks may change it, and with it the route. Of a REPLY it is its call's. */
  serviceMethod: string
  /** Of a REPLY that tells of a failure: it has no body that is read. */
  readonly status: StatusError | undefined
  readonly meta: Meta
  /** Of a REPLY: the CALL it answers, the same object as its own hooks saw; undefined when it had none. */
  readonly request: WriteContext | undefined
  /** Name of the body's codec, '' when the message names none or one that is unknown here. */
  readonly codec: string
  /** Length of the body as it came, in bytes. */
  readonly size: number
  /**
   * The body's bytes, a copy. What hooks before the body put in their place is decoded. A message that is done with, no hook and no handler
   * of it running, keeps those that were looked at before.
   * @throws Error when it kept none
   */
  bytes: Uint8Array
  /** The decoded body; undefined before it is decoded. Hooks after the body may put another value in its place. */
  body: unknown
}

/** A message about to be sent. Everything that is not readonly may be changed before it is written. */
export interface WriteContext extends EarlyContext {
  readonly kind: MessageKind
  readonly seq: number
  /** Of a REPLY its call's. */
  readonly serviceMethod: string
  /** Of a REPLY that tells of a failure. `beforeWriteReply` may set it on one that does not: it is sent in place of the body. */
  status: StatusError | undefined
  /** Of a REPLY: the CALL it answers, the same object as its own hooks saw. */
  readonly request: ReadContext | undefined
  /** String values by key. */
  readonly meta: Record<string, string>
  /** Name of the body's codec. */
  codec: string
  body: unknown
  /** Type of the body, for codecs that need one. */
  bodyType: BodyType | undefined
  /** The bytes that `body` would be sent as, a copy. @throws what the codec throws */
  encode(): Uint8Array
}

export type Hook<Context> = (context: Context) => unknown
/** Functions in the order they run, or null for none, which costs a comparison. */
export type HookList<Context> = readonly Hook<Context>[] | null

/** Which ways of messages have hooks: the usual answer, none, in one look for each. */
export interface HookedDirections {
  /** CALLs that come in, and their REPLYs. */
  callsIn: boolean
  pushesIn: boolean
  repliesIn: boolean
  callsOut: boolean
  pushesOut: boolean
}

/** Calls for the messages of sessions; docs/spec/plugins.md#the-hooks has the list. */
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
 * Runs hooks in order; the first that throws or rejects stops them, and its error is thrown.
 * @param limit that one may take to settle: then it failed with 408
 * @returns a promise when one of them returned one
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
 * Where each message passes, a list of one is run as `settling(list[0](context), limit)`, written out in each place: V8 learns for each call in
 * the source whom it calls, and through one in `runHooks` all hooks pass, which costs about 10 ns each.
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

/** What a hook behind a write still does, whose failure changes nothing any more. What it looks at is kept for it. */
export function logLateFailure(out: WriteContext & { retain(): void }, waiting: Promise<unknown>, log: Logger): void {
  out.retain()
  waiting.catch((error) => hookFailed(out, error, log))
}

export function hookFailed({ serviceMethod }: WriteContext, error: unknown, log: Logger): void {
  log.warn('a plugin failed', { method: serviceMethod, error: reasonOf(error) })
}
