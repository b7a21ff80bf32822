import { Session } from '../session/session.ts'
import { Context } from './context.ts'
import { Endpoint } from './endpoint.ts'

type Inspect = (value: unknown, options: object) => string

/**
 * Makes `console.log` and `util.inspect` show an object by what its user works with, in place of its engine, whose
 * settings and connections fill a screen.
 */
function inspectAs<T extends object>(type: abstract new (...args: never[]) => T, name: string, view: (value: T) => object): void {
  Object.defineProperty(type.prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: T, depth: number, options: object, inspect: Inspect): string {
      return depth < 0 ? `[${name}]` : `${name} ${inspect(view(this), options)}`
    },
  })
}

inspectAs(Session, 'Session', ({ id, state, protocol, localAddress, remoteAddress }) => ({
  id,
  state,
  protocol,
  localAddress,
  remoteAddress,
}))
inspectAs(Context, 'Context', ({ serviceMethod, seq, meta, codec, filters, session }) => ({
  serviceMethod,
  seq,
  meta,
  codec,
  filters,
  session,
}))
inspectAs(Endpoint, 'Endpoint', ({ transport: { kind, ioThreads }, sessionCount, stats }) => ({
  transport: { kind, ioThreads },
  sessionCount,
  stats,
}))
