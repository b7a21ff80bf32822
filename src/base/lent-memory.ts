import { nodeWorkers } from './builtin.ts'

// Memory of transports that codecs, protocols and filters borrow with each received message.

/** Memory that is not marked yet; undefined once code of users can borrow memory. */
let unmarked: ArrayBuffer[] | undefined = []

/**
 * Keeps borrowers of `memory` from transferring it away (`postMessage`, `structuredClone`): Node.js 20 copies it
 * instead, later versions throw. Requires that `lendToUsers` is called before code of users borrows it.
 */
export function keepHere(memory: ArrayBuffer): void {
  if (unmarked === undefined) mark(memory)
  else unmarked.push(memory)
}

/**
 * Must be called before code of users can borrow memory. It is not marked before that, because the mark is in a module
 * that takes 3 ms to load, and most endpoints have no such code.
 */
export function lendToUsers(): void {
  for (const memory of unmarked ?? []) mark(memory)
  unmarked = undefined
}

/**
 * Whether the mark prevents every way to transfer memory. `ArrayBuffer.prototype.transfer`, which Node.js 20 lacks,
 * respects it from Node.js 24 on.
 */
export function keepsForGood(): boolean {
  const probe: ArrayBuffer & { transfer?(): ArrayBuffer } = new ArrayBuffer(8)
  if (probe.transfer === undefined) return true
  mark(probe)
  try {
    probe.transfer()
  } catch {}
  return probe.byteLength !== 0
}

/** Does nothing in runtimes that have no such mark. */
function mark(memory: ArrayBuffer): void {
  try {
    nodeWorkers().markAsUntransferable(memory)
  } catch {
    // not there, or not implemented
  }
}
