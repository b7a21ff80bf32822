import { marked } from '../base/mark.ts'

/** Removes the layer of one filter. */
export interface Unpacker {
  /**
   * Returns the bytes that `pack` was given.
   * @param bytes borrowed until this returns; the result may lie inside
   * @param maxSize largest result allowed, in bytes; a filter that expands must stop there
   * @throws FilterOverflow when the result would be larger than `maxSize`; any other error when `bytes` were not made
   *   by `pack`. Either closes the session.
   */
  unpack(bytes: Uint8Array, maxSize: number): Uint8Array
  /**
   * Does the same off the event loop: used for more than 64 KiB, on either side. `bytes` are not changed until the
   * promise settles.
   */
  unpackAsync?(bytes: Uint8Array, maxSize: number): Promise<Uint8Array>
}

/**
 * A transfer filter: changes the bytes of a whole message (docs/spec/wire.md#filters). Sender and receiver must
 * register it under the same id. Pass one in `new Endpoint({ filters: [yours] })`.
 */
export interface Filter extends Unpacker {
  /** The byte that announces this filter in a frame, 1 to 255. Go has 0x7a (gzip), 0x35 (md5) and 0x61 (aes). */
  readonly id: number
  /** Name by which the options `filters` refer to this filter; not empty. */
  readonly name: string
  /**
   * Adds the layer. An exception fails the call or push with 104.
   * @param bytes borrowed until this returns
   */
  pack(bytes: Uint8Array): Uint8Array
  /** Does the same off the event loop: used for more than 64 KiB. `bytes` are not changed until the promise settles. */
  packAsync?(bytes: Uint8Array): Promise<Uint8Array>
  /**
   * Makes the receiving side of a filter with state per session, such as protection against replay: called once for
   * each session, and the result removes the layers in that session. Such a filter may be named only once on a message.
   */
  receiver?(): Unpacker
}

/** Thrown by `Unpacker.unpack` when its result would be larger than allowed. */
export class FilterOverflow extends RangeError {
  /** Name of the class. */
  override readonly name = 'FilterOverflow'

  constructor(maxSize: number) {
    super(`a filter's output is larger than ${maxSize} bytes`)
  }

  static {
    marked(FilterOverflow, 'FilterOverflow')
  }
}
