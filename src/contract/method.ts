import { flag, optionNames, requireOptions, requireText, timeLimit } from '../base/check-options.ts'
import { markOf } from '../base/mark.ts'
import { isMessageType } from '../message/message-type.ts'
import { type Body, type BodyShape, requireBody, routeType } from './body.ts'
import type { Failures } from './failure.ts'

const groupMark: unique symbol = markOf('group') as typeof groupMark

/** Documentation of a method, a group or a service. */
export interface Docs {
  /** Text whose first line is the summary. Default: none. */
  docs?: string | undefined
  /** Whether it should no longer be used: `true`, or what to use instead. Default: false. */
  deprecated?: boolean | string | undefined
  /** First version of the service that has it. Default: none is named. */
  since?: string | undefined
}

/** Options of a push in a contract. */
export interface PushMethodOptions extends Docs {
  /**
   * The push may also be called: then the caller learns that the handler has finished. Clients of http, which know no
   * pushes, reach it in this way. Default: false.
   */
  callable?: boolean | undefined
}

/** Options of a call in a contract. */
export interface CallMethodOptions<Errors extends Failures = Failures> extends Docs {
  /** Errors that the method fails with, by name. Default: those of the service alone. */
  errors?: Errors | undefined
  /** Calling has no effects, so GET of the http protocol may (`RouteOptions.safe`). Default: false. */
  safe?: boolean | undefined
  /** Running it twice does no harm, so clients retry it (`CallOptions.idempotent`). Default: false. */
  idempotent?: boolean | undefined
  /** Milliseconds until a call fails, where the caller sets none. Default: the timeout of the caller's endpoint. */
  timeout?: number | undefined
}

/** A call of a contract; made by `call`. */
export interface CallMethod<Arg = unknown, Result = unknown, Errors extends Failures = Failures> {
  /** Tells calls from pushes and groups. */
  readonly '~method': 'call'
  /** Describes the argument. */
  readonly arg: Arg
  /** Describes the result. */
  readonly result: Result
  /** The options that the call was declared with. */
  readonly options: CallMethodOptions<Errors>
}

/** A push of a contract; made by `push`. */
export interface PushMethod<Arg = unknown> {
  /** Tells pushes from calls and groups. */
  readonly '~method': 'push'
  /** Describes the argument. */
  readonly arg: Arg
  /** The options that the push was declared with. */
  readonly options: PushMethodOptions
}

/** A method of a contract. */
export type Method = CallMethod | PushMethod

/** Methods and groups of methods by name. */
export interface Methods {
  readonly [name: string]: Method | Methods
}

const docsNames = { docs: true, deprecated: true, since: true } as const
const knownOfGroup = optionNames<Docs>(docsNames)
const knownOfPush = optionNames<PushMethodOptions>({ ...docsNames, callable: true })
const knownOfCall = optionNames<CallMethodOptions>({ ...docsNames, errors: true, safe: true, idempotent: true, timeout: true })

/**
 * A method that answers.
 *
 * @param arg describes the argument; `none` for none
 * @param result describes the result; `none` for none
 * @throws TypeError or RangeError for what describes no body, and for bad options
 */
export function call<Arg extends BodyShape, Result extends BodyShape, Errors extends Failures = Record<never, never>>(
  arg: Arg,
  result: Result,
  options: CallMethodOptions<Errors> = {},
): CallMethod<Arg, Result, Errors> {
  requireBody('the argument of a call', arg)
  requireBody('the result of a call', result)
  requireOptions('options', options, knownOfCall)
  checkDocs(options)
  checkFailures(options.errors)
  flag('safe', options.safe, false)
  flag('idempotent', options.idempotent, false)
  timeLimit('timeout', options.timeout, 0)
  return Object.freeze({ '~method': 'call' as const, arg, result, options })
}

/**
 * A method without an answer.
 *
 * @param arg describes the argument; `none` for none
 * @throws TypeError for what describes no body, and for bad options
 */
export function push<Arg extends BodyShape>(arg: Arg, options: PushMethodOptions = {}): PushMethod<Arg> {
  requireBody('the argument of a push', arg)
  requireOptions('options', options, knownOfPush)
  checkDocs(options)
  flag('callable', options.callable, false)
  return Object.freeze({ '~method': 'push' as const, arg, options })
}

/**
 * A group of methods, for what is said of it. A plain object of methods is a group too.
 *
 * @throws TypeError for bad options
 */
export function group<Of extends Methods>(methods: Of, options: Docs = {}): Of {
  requireOptions('options', options, knownOfGroup)
  checkDocs(options)
  return Object.freeze(Object.defineProperty({ ...methods }, groupMark, { value: options }))
}

/** The documentation of a group. */
export function docsOfGroup(methods: Methods): Docs {
  return (methods as { [groupMark]?: Docs })[groupMark] ?? {}
}

/**
 * The codec of what callers of a method send: that of the service, else protobuf for its types. Undefined for that of
 * their endpoint.
 */
export function codecOf(method: Method, ofService: string | undefined): string | undefined {
  const bodies = method['~method'] === 'call' ? [method.arg, method.result] : [method.arg]
  return ofService ?? (bodies.some((body) => isMessageType(routeType(body as Body))) ? 'protobuf' : undefined)
}

export function isMethod(value: unknown): value is Method {
  return typeof value === 'object' && value !== null && '~method' in value
}

/** @throws TypeError */
export function checkDocs({ docs, deprecated, since }: Docs): void {
  requireText('docs', docs)
  if (typeof deprecated !== 'string') flag('deprecated', deprecated, false)
  requireText('since', since)
}

/** @throws TypeError for what was not made by `declareError`, and for a code that two errors have */
export function checkFailures(errors: Failures | undefined): void {
  const names = new Map<number, string>()
  for (const [name, failure] of Object.entries(errors ?? {})) {
    if (typeof failure?.is !== 'function' || typeof failure.code !== 'number')
      throw new TypeError(`error ${name} must be made by declareError`)
    const other = names.get(failure.code)
    if (other !== undefined) throw new TypeError(`the errors ${other} and ${name} have the same code, ${failure.code}`)
    names.set(failure.code, name)
  }
}
