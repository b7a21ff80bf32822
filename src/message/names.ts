import { MAX_CALLED_NAMES, MAX_METHOD_BYTES, MAX_ROUTE_NAMES } from '../base/limits.ts'

/**
 * Service methods as small numbers, so that the hot path makes no string (ARCHITECTURE.md). Only this process's own
 * code adds names, by registering or calling a route, each up to a limit of its own; a peer never can. The table is
 * append-only and shared by all endpoints of one environment, since all of them share one native reactor.
 */

const ids = new Map<string, number>()
const texts: string[] = []
const encoded: Buffer[] = []
let buckets = new Int32Array(256).fill(-1)
let next: number[] = []
const watchers: ((id: number, bytes: Buffer) => void)[] = []

/** Number of names that were added by calls. */
let called = 0

/**
 * The id of a route's name, added if new.
 * @throws RangeError when the name is not well-formed, is too long, or the table is full
 */
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
 * The id of the name of a call, added if new. -1 when the name is too long for a frame, or when calls have added
 * `MAX_CALLED_NAMES` names: names of calls may be made of data, and must leave room for routes.
 */
export function internCalled(name: string): number {
  const id = ids.get(name)
  if (id !== undefined) return id
  if (called === MAX_CALLED_NAMES || !name.isWellFormed() || Buffer.byteLength(name) > MAX_METHOD_BYTES) return -1
  called++
  return addName(name)
}

/** The id of `name`, or -1 when it was never added. */
export function findNameText(name: string): number {
  return ids.get(name) ?? -1
}

/** The name with this id. */
export function nameText(id: number): string {
  return texts[id]
}

/** The name with this id, as UTF-8. */
export function nameBytes(id: number): Buffer {
  return encoded[id]
}

/** The id of the name in `buffer[start, end)`, or -1 when it was never added. */
export function findName(buffer: Uint8Array, start: number, end: number): number {
  for (let id = buckets[hash(buffer, start, end) & (buckets.length - 1)]; id !== -1; id = next[id]) {
    if (equals(encoded[id], buffer, start, end)) return id
  }
  return -1
}

/** Calls `watcher` for every name in the table now and for every name added later. */
export function watchNames(watcher: (id: number, bytes: Buffer) => void): void {
  watchers.push(watcher)
  encoded.forEach((bytes, id) => {
    watcher(id, bytes)
  })
}

/**
 * Routes of the framework itself, added before all others (docs/extensions.md): an id below `RESERVED_NAMES` is one of
 * them.
 */
export const Reserved = {
  /** PUSH: the answer to an announcement. Body: the announcement of the answering side. */
  Hello: internName('/dmicro/hello'),
  /** PUSH: the caller has given up a call. Body: the call's sequence number and why. */
  Cancel: internName('/dmicro/cancel'),
  /**
   * PUSH: the sender accepts no new calls or pushes. The receiver finishes what runs and answers with the same push.
   */
  Drain: internName('/dmicro/drain'),
  /** CALL: resumes a session whose connection was lost. */
  Resume: internName('/dmicro/resume'),
  /** PUSH: acknowledges received pushes of a resumable session. */
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

/** FNV-1a. A peer cannot cause collisions: only names of this process are in the table. */
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
