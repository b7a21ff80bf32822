// Stands in for `base/async/root-context.ts`, `base/async/call-context.ts`, `base/here.ts` and `base/lent-memory.ts`: a
// page has neither async contexts, nor files of the package, nor memory that others own.

export const untouched = true

export function runInRoot<This, Args extends unknown[], Result>(
  run: (this: This, ...args: Args) => Result,
  self: This,
  ...args: Args
): Result {
  return run.apply(self, args)
}

export function runHandler<Arg, Context, Result>(call: Context, handler: (arg: Arg, context: Context) => Result, arg: Arg): Result {
  return handler(arg, call)
}

export function currentCall(): undefined {
  return undefined
}

export const bundled = false

export function lendToUsers(): void {}
