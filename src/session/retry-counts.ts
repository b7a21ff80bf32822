import type { MeteredCall, WaitingCall } from '../overload/meter.ts'

/** Counts a call that is made again with `request`. */
export function countRetry({ counts, begun }: MeteredCall, request: WaitingCall): void {
  if (counts === null) return
  counts.retried()
  request.begun = begun
}
