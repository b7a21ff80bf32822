import { marked } from '../base/mark.ts'

/** Removes one layer. */
export interface Unpacker {
  /**
   * The bytes that `pack` was given. `bytes` is borrowed: valid until this returns, and the result may lie inside it.
   * @param maxSize largest result allowed; a filter that expands must stop there
   * @throws FilterOverflow when the result would be larger than `maxSize`, any other error when the bytes are not what `pack` makes;
   *   the session is then closed
   */
  unpack(bytes: Uint8Array, maxSize: number): Uint8Array
  /** The same without keeping the loop: used for more than 64 KiB, on either side. `bytes` stays untouched until it settles. */
  unpackAsync?(bytes: Uint8Array, maxSize: number): Promise<Uint8Array>
}

/**
 * A transfer filter: changes the bytes of a whole message (docs/spec/wire.md#filters). Sender and receiver must know it by the same id.
 * Pass one in `new Endpoint({ filters: [yours] })`.
 */
export interface Filter extends Unpacker {
  /** 1 to 255. Go has 0x7a (gzip), 0x35 (md5) and 0x61 (aes). */
  readonly id: number
  readonly name: string
  /** Adds the layer. `bytes` is borrowed. What it throws fails the call or push with 104. */
  pack(bytes: Uint8Array): Uint8Array
  /** The same without keeping the loop: used for more than 64 KiB. `bytes` stays untouched until it settles. */
  packAsync?(bytes: Uint8Array): Promise<Uint8Array>
  /**
   * For a filter that remembers what a session has received, as protection against replay does: called once for each session, and its
   * result removes the layers in that session. Such a filter may be named once on a message.
   */
  receiver?(): Unpacker
}

/** What `Unpacker.unpack` throws when its result would be larger than allowed. */
export class FilterOverflow extends RangeError {
  override readonly name = 'FilterOverflow'

  constructor(maxSize: number) {
    super(`a filter's output is larger than ${maxSize} bytes`)
  }

  static {
    marked(FilterOverflow, 'FilterOverflow')
  }
}
