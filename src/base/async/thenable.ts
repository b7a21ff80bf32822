/** Whether `value` has a method `then`, as promises of all libraries have. Functions are not looked at. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
