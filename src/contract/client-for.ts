import type { NameMapper } from '../message/naming.ts'
import type { Calls, ClientOptions, ServiceOf } from './types.ts'

/**
 * Makes a client of a service, whose methods the service itself makes; or one without a contract, whose methods are
 * those of the controller that is registered under a prefix. Only the types know their names.
 *
 * @throws TypeError for what is neither a service nor a prefix
 */
export function clientFor(caller: Calls, mapper: NameMapper, of: ServiceOf<unknown> | string, options?: ClientOptions): unknown {
  if (typeof of !== 'string') {
    if (typeof of?.clientOf !== 'function') throw new TypeError('client needs a service of defineService, or a prefix')
    return of.clientOf(caller, options)
  }
  return new Proxy(Object.create(null), {
    get(made, name) {
      // Asked by `await`, and by what makes text of a value: the client has no such members.
      if (typeof name === 'symbol' || name === 'then') return undefined
      const route = mapper(of, name)
      return (made[name] ??= (arg: never, given: never) => caller.call(route as never, arg, given))
    },
  })
}
