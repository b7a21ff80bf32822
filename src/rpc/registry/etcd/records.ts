import { type NodeRecord, sameRecord } from '../record.ts'
import type { WatchEvent } from './messages.ts'
import { decodeValue } from './value.ts'

/**
 * Records of one service, by the keys they were found under. A Map, because keys may be anything that somebody has
 * written, `__proto__` too.
 */
export class Records {
  readonly #name: string
  readonly #onMalformed: (key: string) => void
  #byKey = new Map<string, readonly NodeRecord[]>()
  #last: NodeRecord | undefined

  constructor(name: string, onMalformed: (key: string) => void) {
    this.#name = name
    this.#onMalformed = onMalformed
  }

  /** Takes these for all that there are; false when they are what was known. */
  replace(pairs: readonly { readonly key: string; readonly value: Uint8Array }[]): boolean {
    const before = this.#byKey
    this.#byKey = new Map()
    let changed = false
    for (const { key, value } of pairs) {
      const records = this.#decode(key, value)
      if (records === undefined) continue
      this.#byKey.set(key, records)
      if (!same(before.get(key), records)) changed = true
    }
    return changed || before.size !== this.#byKey.size
  }

  /** Takes in one change; false when it changes nothing that is known. */
  apply({ deleted, pair: { key, value } }: WatchEvent): boolean {
    const records = deleted ? undefined : this.#decode(key, value)
    if (records === undefined) return this.#byKey.delete(key)
    if (same(this.#byKey.get(key), records)) return false
    this.#byKey.set(key, records)
    return true
  }

  *[Symbol.iterator](): Generator<NodeRecord> {
    for (const records of this.#byKey.values()) yield* records
  }

  /**
   * The record, with what it has in common with the last one: nodes of one version have the same routes, which would
   * take more memory than all the rest.
   */
  #shared(record: NodeRecord): NodeRecord {
    const last = this.#last
    let { version, node } = record
    if (last !== undefined) {
      if (last.version === version) version = last.version
      if (sameTexts(last.node.paths, node.paths)) node = Object.freeze({ ...node, paths: last.node.paths })
    }
    this.#last = { ...record, version, node }
    return this.#last
  }

  #decode(key: string, value: Uint8Array): readonly NodeRecord[] | undefined {
    const decoded = decodeValue(value)
    if (decoded === undefined) this.#onMalformed(key)
    // Another service may have the same keys: `a/b` and `a-b`.
    return decoded?.name === this.#name ? decoded.records.map((record) => this.#shared(record)) : undefined
  }
}

function sameTexts(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a?.length === b?.length && (a === undefined || a.every((text, index) => text === b?.[index]))
}

function same(a: readonly NodeRecord[] | undefined, b: readonly NodeRecord[]): boolean {
  return a !== undefined && a.length === b.length && a.every((record, index) => sameRecord(record, b[index]))
}
