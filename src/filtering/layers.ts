import { type Filter, FilterOverflow, type Unpacker } from '../message/filter.ts'
import { runJob } from './jobs.ts'

/** Largest size in bytes, on both sides, of a layer that is processed on the loop; more goes off the loop. */
const SMALL = 64 * 1024

/**
 * Adds the layers, the last filter's first (docs/spec/wire.md#filters): on the loop where that is quick, else off the
 * loop.
 * @param payload must not change until the result is there
 */
export function packLayers(filters: readonly Filter[], payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
  let bytes = payload
  for (let i = filters.length - 1; i >= 0; i--) {
    if (bytes.length > SMALL && filters[i].packAsync !== undefined) return runJob(() => packLarge(filters, i, bytes))
    bytes = filters[i].pack(bytes)
  }
  return bytes
}

async function packLarge(filters: readonly Filter[], last: number, payload: Uint8Array): Promise<Uint8Array> {
  let bytes = payload
  for (let i = last; i >= 0; i--) bytes = await (filters[i].packAsync?.(bytes) ?? filters[i].pack(bytes))
  return bytes
}

/**
 * Removes the layers, the first filter's first: on the loop where that is quick, else off the loop.
 * @param payload borrowed until this returns
 * @param maxSize most bytes any layer may hold
 * @throws (or rejects) FilterOverflow beyond `maxSize`, otherwise the error of a layer
 */
export function unpackLayers(layers: readonly Unpacker[], payload: Uint8Array, maxSize: number): Uint8Array | Promise<Uint8Array> {
  let bytes = payload
  for (let i = 0; i < layers.length; i++) {
    const opened = unpackSmall(layers[i], bytes, maxSize)
    if (opened === undefined) {
      // Still borrowed bytes: `bytes` lies inside of `payload` when a filter only cut something off.
      const own = bytes.buffer === payload.buffer ? Buffer.from(bytes) : bytes
      return runJob(() => unpackLarge(layers, i, own, maxSize))
    }
    bytes = opened
  }
  return bytes
}

/** Removes one layer on the loop; undefined when there are too many bytes for that on either side. */
function unpackSmall(layer: Unpacker, bytes: Uint8Array, maxSize: number): Uint8Array | undefined {
  const wait = layer.unpackAsync !== undefined
  if (wait && bytes.length > SMALL) return undefined
  const limit = wait ? Math.min(maxSize, SMALL) : maxSize
  try {
    return within(layer.unpack(bytes, limit), maxSize)
  } catch (error) {
    if (error instanceof FilterOverflow && limit < maxSize) return undefined
    throw error
  }
}

async function unpackLarge(layers: readonly Unpacker[], first: number, payload: Uint8Array, maxSize: number): Promise<Uint8Array> {
  let bytes = payload
  for (let i = first; i < layers.length; i++) {
    bytes = within(await (layers[i].unpackAsync?.(bytes, maxSize) ?? layers[i].unpack(bytes, maxSize)), maxSize)
  }
  return bytes
}

function within(bytes: Uint8Array, maxSize: number): Uint8Array {
  if (bytes.length > maxSize) throw new FilterOverflow(maxSize)
  return bytes
}
