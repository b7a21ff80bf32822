import type { Snapshot, SnapshotData } from './snapshot.ts'

/** A part of a snapshot. */
export interface Part {
  readonly data: SnapshotData
  /** Number of the part, from 0. */
  readonly part: number
  readonly isLast: boolean
}

/** Snapshots that are being sent; those whose receiver has gone are forgotten for later ones. */
const MAX_OPEN = 8

/** Gives snapshots in parts, so that neither side copies thousands of series at once. */
export class PartSender {
  readonly #open = new Map<
    number,
    { readonly parts: Iterator<SnapshotData, void>; part: number; next: IteratorResult<SnapshotData, void> }
  >()

  /** Returns the first part of the answer to question `id`. */
  begin(id: number, snapshot: Snapshot): Part {
    const parts = snapshot.parts()
    this.#open.delete(id)
    this.#open.set(id, { parts, part: 0, next: parts.next() })
    if (this.#open.size > MAX_OPEN) this.#open.delete(this.#open.keys().next().value as number)
    return this.more(id) as Part
  }

  /** Returns the next part; undefined when there is none. */
  more(id: number): Part | undefined {
    const sending = this.#open.get(id)
    if (sending === undefined || sending.next.done === true) return undefined
    const { value } = sending.next
    sending.next = sending.parts.next()
    const isLast = sending.next.done === true
    if (isLast) this.#open.delete(id)
    return { data: value, part: sending.part++, isLast }
  }
}
