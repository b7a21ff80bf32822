import workers from 'node:worker_threads'

/**
 * Keeps borrowers of `memory` from transferring it away (`postMessage`, `structuredClone`): Node.js 20 copies it
 * instead, later versions throw. Does nothing in runtimes that have no such mark.
 */
export function keepHere(memory: ArrayBuffer): void {
  try {
    workers.markAsUntransferable(memory)
  } catch {
    // not there, or not implemented
  }
}

/**
 * Whether `keepHere` prevents every way to transfer memory. `ArrayBuffer.prototype.transfer`, which Node.js 20 lacks,
 * respects the mark from Node.js 24 on.
 */
export function keepsForGood(): boolean {
  const probe: ArrayBuffer & { transfer?(): ArrayBuffer } = new ArrayBuffer(8)
  keepHere(probe)
  try {
    probe.transfer?.()
  } catch {}
  return probe.byteLength !== 0
}
