import { MAX_CALLED_NAMES, MAX_METHOD_BYTES, MAX_ROUTE_NAMES } from '../base/limits.ts'

/**
 * Service methods as small numbers, so that the hot path makes no string (ARCHITECTURE.md). Only this process's own code adds
 * names, by registering a route or calling one, each up to a number of its own; a peer never can. The table is append-only and shared by all endpoints
 * of one environment, since all of them share one native reactor.
 */

const ids = new Map<string, number>()
const texts: string[] = []
const encoded: Buffer[] = []
let buckets = new Int32Array(256).fill(-1)
let next: number[] = []
const watchers: ((id: number, bytes: Buffer) => void)[] = []

/** Names that were added because they were called. */
let called = 0

/** The id of the name of a route, added if new. @throws RangeError that says why there is none */
export function internName(name: string): number {
  const id = ids.get(name)
  if (id !== undefined) return id
  const text = JSON.stringify(name.slice(0, 64))
  if (!name.isWellFormed()) throw new RangeError(`service method ${text} is no well-formed text`)
  if (Buffer.byteLength(name) > MAX_METHOD_BYTES) throw new RangeError(`service method ${text} is over ${MAX_METHOD_BYTES} bytes`)
  if (texts.length - called >= MAX_ROUTE_NAMES) {
    throw new RangeError(`service method ${text} is one too many: this process has routes for ${MAX_ROUTE_NAMES} already`)
  }
  return addName(name)
}

/**
 * The id of a name that is called, added if new; -1 when it is too long for the wire, or enough names were added by calls: they may be made of data, and must
 * leave room for routes.
 */
export function internCalled(name: string): number {
  const id = ids.get(name)
  if (id !== undefined) return id
  if (called === MAX_CALLED_NAMES || !name.isWellFormed() || Buffer.byteLength(name) > MAX_METHOD_BYTES) return -1
  called++
  return addName(name)
}

/** The id of `name`, or -1. */
export function findNameText(name: string): number {
  return ids.get(name) ?? -1
}

export function nameText(id: number): string {
  return texts[id]
}

export function nameBytes(id: number): Buffer {
  return encoded[id]
}

/** The id of the name spelt by `buffer[start, end)`, or -1. */
export function findName(buffer: Uint8Array, start: number, end: number): number {
  for (let id = buckets[hash(buffer, start, end) & (buckets.length - 1)]; id !== -1; id = next[id]) {
    if (equals(encoded[id], buffer, start, end)) return id
  }
  return -1
}

/** Tells `watcher` every name there is and will be. */
export function watchNames(watcher: (id: number, bytes: Buffer) => void): void {
  watchers.push(watcher)
  encoded.forEach((bytes, id) => {
    watcher(id, bytes)
  })
}

/** Routes of our own, known before all others (docs/extensions.md): a smaller id than `RESERVED_NAMES` is one of them. */
export const Reserved = {
  /** PUSH: the answer to an announcement, which is its body. */
  Hello: internName('/dmicro/hello'),
  /** PUSH: a call's sender waits no more. Body: its sequence number and why. */
  Cancel: internName('/dmicro/cancel'),
  /** PUSH: nothing new is accepted from now on; the receiver finishes what runs and sends the same back. */
  Drain: internName('/dmicro/drain'),
  /** CALL: goes on with a session whose connection was lost. */
  Resume: internName('/dmicro/resume'),
  /** PUSH: what was received of it. */
  Ack: internName('/dmicro/ack'),
} as const
export const RESERVED_NAMES = Object.keys(Reserved).length

function addName(name: string): number {
  const bytes = Buffer.from(name)
  const id = texts.length
  ids.set(name, id)
  texts.push(name)
  encoded.push(bytes)
  if (texts.length > buckets.length) {
    rehash(buckets.length * 4)
  } else {
    link(id)
  }
  for (const watcher of watchers) watcher(id, bytes)
  return id
}

function link(id: number): void {
  const bytes = encoded[id]
  const bucket = hash(bytes, 0, bytes.length) & (buckets.length - 1)
  next[id] = buckets[bucket]
  buckets[bucket] = id
}

function rehash(size: number): void {
  buckets = new Int32Array(size).fill(-1)
  next = []
  for (let id = 0; id < encoded.length; id++) link(id)
}

/** FNV-1a. Collisions cannot be provoked from outside: only names of this process are in the table. */
function hash(buffer: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5
  for (let i = start; i < end; i++) h = Math.imul(h ^ buffer[i], 0x01000193)
  return h >>> 0
}

function equals(name: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) if (name[i] !== buffer[start + i]) return false
  return true
}
