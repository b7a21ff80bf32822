/**
 * Whether a Go client died of a fault of its own that no server can prevent: an answer of a type that is not allowed in a session that
 * runs, such as the one of an auth checker to who did not introduce himself.
 *
 * `(*handlerCtx).handle` (drpc/context.go:591 of DMicro v1.3.1) then closes the session in a goroutine of its own, by way of the
 * context of that message, which by then is back in its pool: taken from there for the next message it has no session for a moment,
 * and `Close` is called on nil. It closes beside calls that begin, too, and `sync.WaitGroup` forbids that (session.go:810, H8 of our list
 * of quirks). Against Go's own checker it is the same.
 */
export function diedOfStrayAnswer(stderr: string): boolean {
  const panic = /^panic: (.*)\n(?:\[signal .*\n)?\ngoroutine \d+ \[running\]:\n((?:.+\n)+)/m.exec(stderr)
  if (panic === null) return false
  const [, what, stack] = panic
  if (!/^created by github\.com\/osgochina\/dmicro\/drpc\.\(\*handlerCtx\)\.handle in /m.test(stack)) return false
  if (what === 'runtime error: invalid memory address or nil pointer dereference')
    return /^github\.com\/osgochina\/dmicro\/drpc\.\(\*session\)\.Close\(0x0\)$/m.test(stack)
  return what.startsWith('sync: WaitGroup ') && /^github\.com\/osgochina\/dmicro\/drpc\.\(\*session\)\.closeLocked\(/m.test(stack)
}

/** Runs `check`, and once more when the Go client died of that fault. */
export async function orOnceMore<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    if (!(error instanceof Error && diedOfStrayAnswer(error.message))) throw error
    return check()
  }
}
