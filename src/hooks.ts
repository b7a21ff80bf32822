import type { TimeLimit } from './clock.ts'
import type { Logger } from './log.ts'
import type { MessageType as BodyType } from './message-type.ts'
import type { Meta } from './meta.ts'
import type { CtxSession } from './session-views.ts'
import { Code, StatusError, statusText, textOf } from './status.ts'
import { isThenable } from './thenable.ts'

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
  /** The body's bytes, a copy. What hooks before the body put in their place is decoded. */
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
  /** Of a REPLY: the CALL it answers, the same object as its own hooks saw; undefined when that could not be read. */
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

/** Calls for the messages of sessions; spec/plugins.md §1.2 has the list. */
export interface MessageHooks {
  /** Nobody sees CALLs and PUSHes that come in, nor REPLYs that go out: the usual case, in one look. */
  silent: boolean
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
export function runHooks<Context>(hooks: HookList<Context>, context: Context, limit: TimeLimit): Promise<void> | undefined {
  if (hooks === null) return undefined
  for (let i = 0; i < hooks.length; i++) {
    const result = hooks[i](context)
    if (isThenable(result)) return runRest(hooks, i, result, context, limit)
  }
  return undefined
}

async function runRest<Context>(
  hooks: readonly Hook<Context>[],
  first: number,
  result: PromiseLike<unknown>,
  context: Context,
  limit: TimeLimit,
): Promise<void> {
  await within(result, limit)
  for (let i = first + 1; i < hooks.length; i++) {
    const next = hooks[i](context)
    if (isThenable(next)) await within(next, limit)
  }
}

function within(result: PromiseLike<unknown>, { ms, clock }: TimeLimit): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new StatusError(Code.HandleTimeout, statusText(Code.HandleTimeout), 'a plugin did not settle in time'))
    const timer = clock.setTimeout(late, ms)
    // A thenable of the user's own may settle twice or throw: a promise around it may not.
    Promise.resolve(result)
      .then(resolve, reject)
      .finally(() => clock.clearTimeout(timer))
  })
}

/**
 * Takes steps in order; each may return a promise, which is waited for.
 * @param onWait called once, before the first wait
 * @throws (or rejects) what a step throws, and goes no further
 */
export function inTurn(steps: readonly (() => Promise<void> | undefined)[], onWait: () => void): Promise<void> | undefined {
  for (let i = 0; i < steps.length; i++) {
    const waiting = steps[i]()
    if (waiting === undefined) continue
    onWait()
    return takeRest(steps, i + 1, waiting)
  }
  return undefined
}

async function takeRest(steps: readonly (() => Promise<void> | undefined)[], next: number, waiting: Promise<void>): Promise<void> {
  await waiting
  for (let i = next; i < steps.length; i++) await steps[i]()
}

/**
 * Runs the hooks around a write. One that fails before it stops it; one that fails after it is logged.
 * @returns and throws (or rejects) as `send`
 */
export function writeThrough(
  before: HookList<WriteContext>,
  after: HookList<WriteContext>,
  out: WriteContext,
  limit: TimeLimit,
  log: Logger,
  send: () => Promise<void> | undefined,
): Promise<void> | undefined {
  const sendNow = (): Promise<void> | undefined => {
    const sent = send()
    if (after === null) return sent
    if (sent !== undefined) return sent.then(() => onlyLog(after, out, limit, log))
    onlyLog(after, out, limit, log)
    return undefined
  }
  const waiting = runHooks(before, out, limit)
  return waiting === undefined ? sendNow() : waiting.then(sendNow)
}

/** Runs hooks whose failure changes nothing any more. */
export function onlyLog<Context>(hooks: HookList<Context>, context: Context, limit: TimeLimit, log: Logger): void {
  const failed = (error: unknown): void => log.warn('a plugin failed', { error: textOf(error) })
  try {
    runHooks(hooks, context, limit)?.catch(failed)
  } catch (error) {
    failed(error)
  }
}
