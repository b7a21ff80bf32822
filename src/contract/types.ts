import type { StatusError } from '../base/errors/status.ts'
import type { CallOptions, PushOptions } from '../message/call-options.ts'
import type { Reply } from '../message/reply.ts'
import type { Input, Output } from './body.ts'
import type { DeclaredStatus, Failures } from './failure.ts'
import type { CallMethod, PushMethod } from './method.ts'

/** Calls and pushes: a session, an RpcClient or a MultiClient. */
export interface Caller<Options = CallOptions> {
  /** Calls `method`, and resolves to the body of the reply; rejects with a StatusError, as `Session.call`. */
  call<T>(method: string, arg?: unknown, options?: Options): Promise<T>
  /** Calls `method` as `call` does, and resolves to the body, meta and codec of the reply. */
  callReply<T>(method: string, arg?: unknown, options?: Options): Promise<Reply<T>>
  /** Sends a message without an answer; rejects with a StatusError, as `Session.push`. */
  push(method: string, arg?: unknown, options?: never): Promise<void>
}

/** The methods that a client needs of its session. */
export type Calls = { [Name in 'call' | 'callReply' | 'push']: (...args: never[]) => unknown }

/** Arguments of a method: one that takes nothing, or may take nothing, is called without. */
type Args<Arg, Options> = undefined extends Arg ? [arg?: Arg, options?: Options] : [arg: Arg, options?: Options]

/** How a call ended, with the declared errors of its method by name; other errors have no name. */
export type Outcome<Result, Errors extends Failures> =
  | {
      /** Whether the call succeeded. */
      readonly ok: true
      /** The result. */
      readonly value: Result
    }
  | {
      /** Whether the call succeeded. */
      readonly ok: false
      /** Name of the declared error; undefined for another one. */
      readonly name: undefined
      /** The failure of the call. */
      readonly error: StatusError
    }
  | {
      [Name in keyof Errors]: { readonly ok: false; readonly name: Name; readonly error: FailureStatus<Errors[Name]> }
    }[keyof Errors]

type FailureStatus<Failure> = Failure extends { is(error: unknown): error is infer Status extends DeclaredStatus<unknown> }
  ? Status
  : StatusError

/** A call of a client. */
export interface ClientCall<Arg, Result, Errors extends Failures, Options> {
  /**
   * Calls the method, and resolves to its result.
   *
   * @throws StatusError (rejects) as `call` of the session or client that it belongs to
   */
  (...args: Args<Arg, Options>): Promise<Result>
  /** Calls the method, and resolves to the reply's body, meta and codec. */
  reply(...args: Args<Arg, Options>): Promise<Reply<Result>>
  /**
   * Calls the method, and resolves to how it ended, with errors that the contract declares by their names.
   *
   * @throws TypeError or RangeError (rejects) that names a bad option
   */
  try(...args: Args<Arg, Options>): Promise<Outcome<Result, Errors>>
}

/** A push of a client. */
export type ClientPush<Arg, Options> = (...args: Args<Arg, Options>) => Promise<void>

/** The methods of a service as its callers have them. */
export type Client<Of, Calling = CallOptions, Pushing = PushOptions> = {
  readonly [Name in keyof Of]: Of[Name] extends CallMethod<infer Arg, infer Result, infer Errors>
    ? ClientCall<Input<Arg>, Output<Result>, Errors, Calling>
    : Of[Name] extends PushMethod<infer Arg>
      ? ClientPush<Input<Arg>, Pushing>
      : Client<Of[Name], Calling, Pushing>
}

/** Serves a service: a function for each of its methods, in objects as its groups are. */
export type Implementation<Of, CallContext, PushContext> = {
  readonly [Name in keyof Of]: Of[Name] extends CallMethod<infer Arg, infer Result, infer _>
    ? (arg: Output<Arg>, ctx: CallContext) => Input<Result> | Promise<Input<Result>>
    : Of[Name] extends PushMethod<infer Arg>
      ? (arg: Output<Arg>, ctx: PushContext) => unknown
      : Implementation<Of[Name], CallContext, PushContext>
}

/** The methods of a class whose object is registered as a controller, as their callers have them. */
export type ControllerClient<Controller, Calling = CallOptions> = {
  readonly [Name in keyof Controller as Controller[Name] extends (...args: never[]) => unknown
    ? Name extends `_${string}`
      ? never
      : Name
    : never]: Controller[Name] extends (...args: infer Params) => infer Result
    ? (...args: Args<Params extends [infer Arg, ...unknown[]] ? Arg : undefined, Calling>) => Promise<Awaited<Result>>
    : never
}

/** Options of a client of a service. */
export interface ClientOptions {
  /**
   * Validates arguments before they are sent, and results, by the schemas of the contract. Both ends apply them then,
   * so no schema may change a value that it has made. For callees that validate nothing. Default: false.
   */
  validate?: boolean | undefined
}

/** Makes clients, as `Session.client` does. */
export interface MakeClient<Calling = CallOptions, Pushing = PushOptions> {
  <Of>(service: ServiceOf<Of>, options?: ClientOptions): Client<Of, Calling, Pushing>
  <Controller extends object>(prefix: string): ControllerClient<Controller, Calling>
}

/** Options of serving a service. */
export interface ServeOptions<Plugin = unknown> {
  /** Plugins that run for the messages of the service, after the endpoint's. Default: none. */
  plugins?: readonly Plugin[] | undefined
  /**
   * Tells who calls `/dmicro/describe` what the service offers, with its schemas. Default: false, since peers that need
   * not know it could read it.
   */
  describe?: boolean | undefined
}

/** Registers routes: an endpoint, or a server. */
export interface Routes {
  routeCall(...args: never[]): string[]
  routePush(...args: never[]): string[]
}

/** A service as those take it that serve or call it; `defineService` makes it. */
export interface ServiceOf<Of> {
  /** The methods by name. */
  readonly methods: Of
  /** @internal */
  clientOf(caller: Calls, options?: ClientOptions): unknown
  /** @internal */
  serveOn(routes: Routes, implementation: unknown, options?: ServeOptions): string[]
}
