import { Code, StatusError } from '../base/errors/status.ts'
import type { TracedAttempts } from '../session/tracer.ts'

type Settle = (value: unknown) => void

/** `resolve` and `reject` of a call's promise, which also end its span. */
export function endingWith(trace: TracedAttempts, resolve: Settle, reject: Settle): [resolve: Settle, reject: Settle] {
  const failed = (error: unknown): void => trace.finished(error instanceof StatusError ? error.code : Code.WriteFailed)
  return [
    (value) => {
      // The promise of a fallback, which passes on what it is not for.
      if (value instanceof Promise) value.then(() => trace.finished(0), failed)
      else trace.finished(0)
      resolve(value)
    },
    (error) => {
      failed(error)
      reject(error)
    },
  ]
}
