import { EventEmitter } from 'node:events'
import { runInRoot } from '../../base/async/root-context.ts'

/** Names of events, with the arguments of their listeners. */
type EventMap<Events> = Record<keyof Events, unknown[]>

/**
 * An emitter whose listeners cannot harm the call that an event is about: they run outside of any `AsyncLocalStorage`,
 * and an exception becomes a warning of the process.
 */
export class Notifier<Events extends EventMap<Events>> extends EventEmitter<Events> {
  /**
   * Emits an event.
   *
   * @internal
   */
  notify<Name extends keyof Events & string>(name: Name, ...args: Events[Name]): void {
    if (this.listenerCount(name as never) === 0) return
    try {
      runInRoot(this.emit as (...all: unknown[]) => boolean, this, name, ...args)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : new Error(`a ${name} listener threw: ${String(error)}`))
    }
  }
}
