import { StatusError } from '../base/errors/status.ts'
import type { CallOptions } from '../message/call-options.ts'
import { isMessageType, type MessageType } from '../message/message-type.ts'
import { isSchema, type StandardSchemaV1 } from '../message/standard-schema.ts'
import { type Body, routeType } from './body.ts'
import { codecOf, type Method } from './method.ts'
import { isRoute, type MethodRoute, type RouteTree } from './routes.ts'
import type { Caller } from './types.ts'
import { validated } from './validate.ts'

type AnyCaller = Caller<CallOptions>
type Send = (arg?: unknown, options?: CallOptions) => Promise<unknown>
type Make = (caller: AnyCaller, validate: boolean) => unknown

const callerKey = Symbol('caller')
const validateKey = Symbol('validate')

interface Made {
  readonly [callerKey]: AnyCaller
  readonly [validateKey]: boolean
}

/**
 * Makes what makes clients of a service. A client is one small object; its methods are made when they are first read,
 * and kept.
 *
 * @param codec codec of the service's messages; undefined for that of the caller's endpoint
 */
export function clientMaker(tree: RouteTree, codec: string | undefined): Make {
  const prototype: object = Object.create(null)
  for (const [name, member] of Object.entries(tree)) {
    const make: Make = isRoute(member) ? methodMaker(member, codec) : clientMaker(member, codec)
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: Made): unknown {
        const value = make(this[callerKey], this[validateKey])
        Object.defineProperty(this, name, { value, enumerable: true })
        return value
      },
    })
  }
  return (caller, validate) => Object.create(prototype, { [callerKey]: { value: caller }, [validateKey]: { value: validate } })
}

function methodMaker({ route, method, errors }: MethodRoute, codec: string | undefined): Make {
  const defaults = defaultsOf(method, codec)
  if (method['~method'] === 'push') {
    return (caller, validate) => {
      const send: Send =
        defaults === undefined
          ? (arg, options) => caller.push(route, arg, options as never)
          : (arg, options) => caller.push(route, arg, (options === undefined ? defaults : { ...defaults, ...options }) as never)
      return validate ? validating(send, method.arg as Body) : send
    }
  }
  return (caller, validate) => {
    const checks = validate && isSchema(method.result) ? { ...defaults, result: method.result } : defaults
    const send: Send =
      checks === undefined
        ? (arg, options) => caller.call(route, arg, options)
        : (arg, options) => caller.call(route, arg, options === undefined ? checks : { ...checks, ...options })
    const reply: Send = (arg, options) => caller.callReply(route, arg, checks === undefined ? options : { ...checks, ...options })
    const call = validate ? validating(send, method.arg as Body) : send
    return Object.assign(call, {
      reply: validate ? validating(reply, method.arg as Body) : reply,
      try: (arg: unknown, options?: CallOptions) => call(arg, options).then(succeeded, (error: unknown) => failed(error, errors)),
    })
  }
}

const succeeded = (value: unknown): unknown => ({ ok: true, value })

/** @throws what is no status: a mistake of the caller's */
function failed(error: unknown, errors: MethodRoute['errors']): unknown {
  if (!(error instanceof StatusError)) throw error
  const name = Object.keys(errors).find((each) => errors[each].is(error))
  return { ok: false, name, error }
}

/** The options that every call of a method has; undefined for none, which is fastest. */
function defaultsOf(method: Method, codec: string | undefined): CallOptions | undefined {
  const found: CallOptions = {}
  const arg = typeOf(method.arg)
  const result = method['~method'] === 'call' ? typeOf(method.result) : undefined
  if (arg !== undefined) found.arg = arg
  if (result !== undefined) found.result = result
  const named = codecOf(method, codec)
  if (named !== undefined) found.codec = named
  if (method['~method'] === 'call') {
    const { timeout, idempotent } = method.options
    if (timeout !== undefined) found.timeout = timeout
    if (idempotent === true) found.idempotent = true
  }
  return Object.keys(found).length === 0 ? undefined : found
}

function typeOf(body: unknown): MessageType | undefined {
  const type = body === undefined ? undefined : routeType(body as Body)
  return isMessageType(type) ? type : undefined
}

/** Validates arguments before they are sent. What is sent is the argument, because the callee validates it too. */
function validating(send: Send, body: Body): Send {
  if (!isSchema(body)) return send
  const schema: StandardSchemaV1 = body
  return async (arg, options) => {
    await validated(schema, arg, 'argument')
    return send(arg, options)
  }
}
