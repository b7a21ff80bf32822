import protobufjs from 'protobufjs/minimal.js'
import { EtcdError, GrpcCode } from './grpc-status.ts'

const { Reader, Writer } = protobufjs
type Reader = InstanceType<typeof Reader>
type Writer = InstanceType<typeof Writer>

// etcd's messages need few of protobuf's types. 64-bit numbers are read by hand: protobufjs makes objects of them.

const BYTES = 2
const MAX_VARINT = 10
const LOW = 0xffff_ffffn

/** Writes the fields of a message; those that have protobuf's default are left out. */
export class MessageWriter {
  readonly #writer: Writer = Writer.create()

  bytes(field: number, value: Uint8Array): this {
    if (value.length > 0) this.#writer.uint32((field << 3) | BYTES).bytes(value)
    return this
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value))
  }

  /** A message inside of this one, which is written even when it is empty. */
  message(field: number, value: Uint8Array): this {
    this.#writer.uint32((field << 3) | BYTES).bytes(value)
    return this
  }

  /** A positive whole number that is no more than 2^53, as all but ids of leases are. */
  number(field: number, value: number): this {
    return this.int64(field, BigInt(value))
  }

  flag(field: number, value: boolean): this {
    if (value) this.#writer.uint32(field << 3).bool(true)
    return this
  }

  int64(field: number, value: bigint): this {
    if (value === 0n) return this
    const halves = { low: Number(BigInt.asIntN(32, value & LOW)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: false }
    this.#writer.uint32(field << 3).int64(halves as never)
    return this
  }

  finish(): Uint8Array {
    return this.#writer.finish()
  }
}

/** Reads one field of a message, which has the number `field`; false when the field is unknown and is to be skipped. */
type ReadField = (field: number, values: FieldReader) => boolean

/** The value of the field that is read. Each method throws when the field has another type. */
export class FieldReader {
  readonly #reader: Reader
  #type = 0

  constructor(bytes: Uint8Array) {
    this.#reader = Reader.create(bytes)
  }

  readAll(read: ReadField): void {
    const reader = this.#reader
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      this.#type = tag & 7
      if (!read(tag >>> 3, this)) reader.skipType(this.#type)
    }
  }

  bytes(): Uint8Array {
    this.#expect(BYTES)
    return this.#reader.bytes()
  }

  text(): string {
    return Buffer.from(this.bytes()).toString()
  }

  /** Bytes as text of one character each. */
  latin1(): string {
    return Buffer.from(this.bytes()).toString('latin1')
  }

  flag(): boolean {
    return this.int64() !== 0n
  }

  /** A number that must be no less than 0 and exact. */
  number(): number {
    const value = Number(this.int64())
    if (!Number.isSafeInteger(value) || value < 0) throw new EtcdError(GrpcCode.Internal, 'a number is out of range')
    return value
  }

  int64(): bigint {
    this.#expect(0)
    const { buf, pos } = this.#reader
    this.#reader.skip()
    const end = this.#reader.pos
    if (end - pos > MAX_VARINT) throw new EtcdError(GrpcCode.Internal, 'a number is too long')
    let value = 0n
    for (let i = end - 1; i >= pos; i--) value = (value << 7n) | BigInt(buf[i] & 0x7f)
    return BigInt.asIntN(64, value)
  }

  #expect(type: number): void {
    if (this.#type !== type) throw new EtcdError(GrpcCode.Internal, 'a field has another type')
  }
}

/**
 * Reads a message.
 * @throws EtcdError when `bytes` are no message
 */
export function readMessage(bytes: Uint8Array, read: ReadField): void {
  try {
    new FieldReader(bytes).readAll(read)
  } catch (error) {
    if (error instanceof EtcdError) throw error
    throw new EtcdError(GrpcCode.Internal, `a message cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}
