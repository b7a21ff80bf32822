import { flag, requireMeta, requireNames, requireOptions, requireSignal, requireText } from '../base/check-options.ts'
import { type MessageType as BodyType, checkMessageType } from './message-type.ts'
import { isSchema, type StandardSchemaV1 } from './standard-schema.ts'

/** What one call or push may say. */
export interface PushOptions {
  /** String values that travel beside the body. */
  meta?: Readonly<Record<string, string>> | undefined
  /** Name of the body's codec; default: the endpoint's. */
  codec?: string | undefined
  /** Names of transfer filters, outermost first. The reply of a call comes back through the same ones, and perhaps more. */
  filters?: readonly string[] | undefined
  /** The method is a peer's word that is passed on: its name is not kept in this process's table of names, which no peer may fill. */
  forwarded?: boolean | undefined
  /** Type of the value sent, for codecs that need one. */
  arg?: BodyType | undefined
}

export interface CallOptions extends PushOptions {
  /** Milliseconds until the call fails with 408. Default: the endpoint's `timeout`; 0 or Infinity means none. */
  timeout?: number | undefined
  /**
   * The call may be made again: where there is redial it survives the loss of its connection, within its deadline. A peer that is dmicro too, and
   * still knows the session, runs it once; any other may run it again. Default false: its loss is a 102.
   */
  idempotent?: boolean | undefined
  /** Fails the call with 499 when it fires. */
  signal?: AbortSignal | undefined
  /** Name of the codec the reply should come in (docs/spec/wire.md#reply-codec). */
  acceptCodec?: string | undefined
  /** Type of the reply's body, for codecs that need one; or `bytes`; or a Standard Schema: what breaks it is a 400. */
  result?: BodyType | StandardSchemaV1 | undefined
}

/** Options of a call that names the type of its result. */
export interface TypedCallOptions<Result> extends CallOptions {
  result: BodyType<Result> | StandardSchemaV1<unknown, Result>
}

const ofPushes = ['meta', 'codec', 'filters', 'forwarded', 'arg']
const knownOfPush: ReadonlySet<string> = new Set(ofPushes)
const knownOfCall: ReadonlySet<string> = new Set([...ofPushes, 'timeout', 'idempotent', 'signal', 'acceptCodec', 'result'])

/** What it takes to know without the endpoint; its codecs and filters are asked by name. @throws TypeError that names the option */
export function checkPushOptions(options: PushOptions): void {
  requireOptions('options', options, knownOfPush)
  checkShared(options)
}

/** The same of a call; its timeout is read where it is used. @throws TypeError that names the option */
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

/** @throws TypeError */
export function requireMethod(method: string): void {
  if (typeof method !== 'string') throw new TypeError(`a service method must be a string, got ${typeof method}`)
}
