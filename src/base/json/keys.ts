/**
 * Keys of objects that were seen before, each with its text and its bytes in JSON, `"key":`, of which other codecs take
 * those between the quotation marks. What follows what is remembered too, since messages of a kind have the same keys
 * in the same order: then a key is recognised by one comparison, needs no string of its own, and is written word by
 * word.
 *
 * A key has a slot; slot 0 is none. The table is small and forgets everything when it is full, so that neither a peer
 * nor objects with ever new keys make it grow.
 */

/** Most keys. */
const SLOTS = 1024
/** Bytes per slot, of which a key has three for its quotation marks and colon. */
export const KEY_BYTES = 32
const MAX_KEY = KEY_BYTES - 3
const HASHES = 2 * SLOTS

/** Number of stores of their own that keys may get: members.ts has as many. */
const OWN_STORES = 32

/** The text of each slot's key; V8 knows these strings as property names. */
export const keyTexts: string[] = new Array(SLOTS).fill('')
/** Lengths of `"key":`. */
export const keySizes = new Int32Array(SLOTS)
/** The bytes `"key":` of each slot, at `slot * KEY_BYTES`. */
export const keyBytes = new Uint8Array(SLOTS * KEY_BYTES)
/** The same memory, word by word. */
export const keyWords = new Int32Array(keyBytes.buffer)
/** The slot that followed a slot when it was last seen; of slot 0, the first key of an object. */
export const nextKey = new Int32Array(SLOTS)
/** The first key of the object that was last seen under a key. */
export const innerKey = new Int32Array(SLOTS)
/** Numbers of the stores that are kept for one key each (members.ts), by slot; 0 for those of all others. */
const stores = new Uint8Array(SLOTS)
/** The same by key, for good: V8 does not forget. */
const ownStores = new Map<string, number>()
/** How often members with a key were set, of those without a store of their own. */
const heat = new Uint8Array(SLOTS)
/** Number from which on a key gets a store of its own, as long as there are some. */
const HOT = 100
const slots = new Map<string, number>()
const hashes = new Int32Array(HASHES)
let used = 1

/**
 * Account of learning: a key costs `PRICE`, a message brings 1. Learning a key takes as long as reading some objects,
 * and pays only if it comes again.
 */
let credit = 1024
const PRICE = 8
const MAX_CREDIT = 4096

/**
 * Comes before a message is read or written: slots do not change their keys until the next call. False while too many
 * new keys came: then whoever asks should do without this table.
 */
export function mayLearn(): boolean {
  if (used === SLOTS) forget()
  if (credit < MAX_CREDIT) credit++
  return credit > 0
}

/**
 * The slot of a key by its text, which is learnt. 0 when it is too long, needs escapes or means something to objects,
 * and when the table is full.
 */
export function slotOfText(key: string): number {
  const known = slots.get(key)
  if (known !== undefined) return known
  credit -= PRICE
  if (used === SLOTS || !isPlainKey(key) || key in Object.prototype) return 0
  const slot = used++
  const [text] = Object.keys({ [key]: 0 }) // as V8 keeps names of properties
  keyTexts[slot] = text
  slots.set(text, slot)
  stores[slot] = ownStores.get(text) ?? 0
  keySizes[slot] = key.length + 3
  let at = slot * KEY_BYTES
  let hash = 0
  keyBytes[at++] = 0x22
  for (let i = 0; i < key.length; i++) {
    const c = key.charCodeAt(i)
    keyBytes[at++] = c
    hash = (Math.imul(hash, 31) + c) | 0
  }
  keyBytes[at++] = 0x22
  keyBytes[at] = 0x3a
  hashes[hash & (HASHES - 1)] = slot
  return slot
}

/** Whether a key is short and needs no escapes. Asking costs nothing of the account. */
export function isPlainKey(key: string): boolean {
  if (key.length > MAX_KEY) return false
  for (let i = 0; i < key.length; i++) {
    const c = key.charCodeAt(i)
    if (c < 0x20 || c > 0x7e || c === 0x22 || c === 0x5c) return false
  }
  return true
}

/**
 * The slot of the key whose bytes are `bytes[start, end)`, plain ASCII. 0 when the key is not known, or when another
 * one with its hash is.
 */
export function slotOfBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0
  const slot = hashes[hash & (HASHES - 1)]
  if (slot === 0 || keySizes[slot] !== end - start + 3) return 0
  const key = slot * KEY_BYTES + 1 - start
  for (let i = start; i < end; i++) if (keyBytes[key + i] !== bytes[i]) return 0
  return slot
}

/** The number of the store for members with a key: 0, or one that no other key has. */
export function storeOf(slot: number): number {
  const store = stores[slot]
  return store !== 0 ? store : storeOfWarm(slot)
}

function storeOfWarm(slot: number): number {
  if (++heat[slot] === HOT && ownStores.size < OWN_STORES) {
    stores[slot] = ownStores.size + 1
    ownStores.set(keyTexts[slot], stores[slot])
  }
  return stores[slot]
}

function forget(): void {
  stores.fill(0)
  heat.fill(0)
  keyTexts.fill('')
  slots.clear()
  hashes.fill(0)
  nextKey.fill(0)
  innerKey.fill(0)
  keySizes.fill(0)
  used = 1
}
