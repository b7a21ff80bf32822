import { flag, optionNames, requireMeta, requireNames, requireOptions, requireSignal, requireText } from '../base/check-options.ts'
import { type MessageType as BodyType, checkMessageType } from './message-type.ts'
import { isSchema, type StandardSchemaV1 } from './standard-schema.ts'

/** Options of one push. They are options of a call too. */
export interface PushOptions {
  /**
   * String values that are sent beside the body.
   * @default none
   */
  meta?: Readonly<Record<string, string>> | undefined
  /**
   * Name of the body's codec.
   * @default the endpoint's `codec`
   */
  codec?: string | undefined
  /**
   * Names of transfer filters, outermost first. The reply of a call goes through the same ones, and perhaps more.
   * @default none
   */
  filters?: readonly string[] | undefined
  /**
   * The method was received from a peer and is passed on. Then its name is not kept in this process's table of names,
   * which peers must not be able to fill.
   * @default false
   */
  forwarded?: boolean | undefined
  /**
   * Type of the value sent, for codecs that need one.
   * @default none
   */
  arg?: BodyType | undefined
}

/** Options of one call. */
export interface CallOptions extends PushOptions {
  /**
   * Milliseconds until the call fails with 408; 0 or Infinity means no limit.
   * @default the endpoint's `timeout`
   */
  timeout?: number | undefined
  /**
   * The call may be retried. With redial it survives the loss of its connection, within its deadline. A dmicro peer
   * that still knows the session runs it once; any other peer may run it again. When false, a call whose connection is
   * lost fails with 102.
   * @default false
   */
  idempotent?: boolean | undefined
  /**
   * Fails the call with 499 when it fires.
   * @default none
   */
  signal?: AbortSignal | undefined
  /**
   * Name of the codec that the reply should have (docs/spec/wire.md#reply-codec).
   * @default the choice of the callee
   */
  acceptCodec?: string | undefined
  /**
   * Type of the reply's body, for codecs that need one; or `bytes`; or a Standard Schema: a reply that does not match
   * it fails the call with 400.
   * @default none
   */
  result?: BodyType | StandardSchemaV1 | undefined
}

/** Options of a call that gives the type of its result. */
export interface TypedCallOptions<Result> extends CallOptions {
  result: BodyType<Result> | StandardSchemaV1<unknown, Result>
}

const pushNames = { meta: true, codec: true, filters: true, forwarded: true, arg: true } as const
const knownOfPush = optionNames<PushOptions>(pushNames)
const knownOfCall = optionNames<CallOptions>({
  ...pushNames,
  timeout: true,
  idempotent: true,
  signal: true,
  acceptCodec: true,
  result: true,
})

/**
 * Checks what can be checked without the endpoint; the names of codecs and filters are looked up later.
 * @throws TypeError that names the option
 */
export function checkPushOptions(options: PushOptions): void {
  requireOptions('options', options, knownOfPush)
  checkShared(options)
}

/**
 * Checks a call's options as `checkPushOptions` does; the timeout is checked where it is used.
 * @throws TypeError that names the option
 */
export function checkCallOptions(options: CallOptions): void {
  requireOptions('options', options, knownOfCall)
  checkShared(options)
  const { idempotent, signal, acceptCodec, result } = options
  flag('idempotent', idempotent, false)
  if (signal !== undefined) requireSignal('signal', signal)
  requireText('acceptCodec', acceptCodec)
  if (result !== undefined && !isSchema(result)) checkMessageType(result, 'option result')
}

function checkShared({ meta, codec, filters, forwarded, arg }: PushOptions): void {
  if (meta !== undefined) requireMeta('meta', meta)
  requireText('codec', codec)
  if (filters !== undefined) requireNames('filters', filters)
  flag('forwarded', forwarded, false)
  checkMessageType(arg, 'option arg')
}

/**
 * Checks that a service method is a string.
 * @throws TypeError
 */
export function requireMethod(method: string): void {
  if (typeof method !== 'string') throw new TypeError(`a service method must be a string, got ${typeof method}`)
}
