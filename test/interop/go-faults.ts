/**
 * Whether a Go client ended with a known panic in its own `Close` (DMicro v1.3.1, H8 of docs/spec/go-defects.md). Such an end says nothing
 * about our side, so tests make their check again.
 *
 * @param stderr what the client has written
 */
export function diedOfOwnFault(stderr: string): boolean {
  const panic = /^panic: (.*)\n(?:\[signal .*\n)?\ngoroutine \d+ \[running\]:\n((?:.+\n)+)/m.exec(stderr)
  if (panic === null) return false
  const [, what, stack] = panic
  if (!/^created by github\.com\/osgochina\/dmicro\/drpc\.\(\*handlerCtx\)\.handle in /m.test(stack)) return false
  if (what === 'runtime error: invalid memory address or nil pointer dereference')
    return /^github\.com\/osgochina\/dmicro\/drpc\.\(\*session\)\.Close\(0x0\)$/m.test(stack)
  return what.startsWith('sync: WaitGroup ') && /^github\.com\/osgochina\/dmicro\/drpc\.\(\*session\)\.closeLocked\(/m.test(stack)
}

/** Runs `check`, and once more when the Go client ended with that panic. */
export async function orOnceMore<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    if (!(error instanceof Error && diedOfOwnFault(error.message))) throw error
    return check()
  }
}
