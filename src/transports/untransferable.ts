import workers from 'node:worker_threads'

/**
 * Keeps those who borrow `memory` from transferring it away (`postMessage`, `structuredClone`): Node.js 20 copies in place of it, later ones
 * refuse. Does nothing in runtimes that have no such mark.
 */
export function keepHere(memory: ArrayBuffer): void {
  try {
    workers.markAsUntransferable(memory)
  } catch {
    // not there, or not implemented
  }
}

/** Whether `keepHere` leaves no way to transfer memory. `ArrayBuffer.prototype.transfer`, which Node.js 20 lacks, heeds the mark from 24 on. */
export function keepsForGood(): boolean {
  const probe: ArrayBuffer & { transfer?(): ArrayBuffer } = new ArrayBuffer(8)
  keepHere(probe)
  try {
    probe.transfer?.()
  } catch {}
  return probe.byteLength !== 0
}
