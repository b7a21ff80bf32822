import type { BufferWriter } from 'protobufjs'
import { bool, bytes, float, type Int64, int32, int64, string, uint32, uint64 } from './scalars.ts'

/** A writer that refuses the values that protobufjs writes as 0 or as nothing, and accepts BigInts (scalars.ts). */
export type StrictWriter = new () => BufferWriter

export function strictWriter(Base: typeof BufferWriter): StrictWriter {
  return class extends Base {
    override uint32(value: number) {
      return super.uint32(value >>> 0 === value ? value : uint32(value))
    }
    override int32(value: number) {
      return super.int32((value | 0) === value ? value : int32(value))
    }
    override sint32(value: number) {
      return super.sint32(int32(value))
    }
    override fixed32(value: number) {
      return super.fixed32(uint32(value))
    }
    override sfixed32(value: number) {
      return super.sfixed32(int32(value))
    }
    override uint64(value: Int64) {
      return super.uint64(uint64(value))
    }
    override int64(value: Int64) {
      return super.int64(int64(value))
    }
    override sint64(value: Int64) {
      return super.sint64(int64(value))
    }
    override fixed64(value: Int64) {
      return super.fixed64(uint64(value))
    }
    override sfixed64(value: Int64) {
      return super.sfixed64(int64(value))
    }
    override float(value: number) {
      return super.float(float(value))
    }
    override double(value: number) {
      return super.double(float(value))
    }
    override bool(value: boolean) {
      return super.bool(bool(value))
    }
    override string(value: string) {
      return super.string(string(value))
    }
    override bytes(value: Uint8Array) {
      return super.bytes(bytes(value))
    }

    override uint32s(values: number[]) {
      return super.uint32s(each(values, uint32))
    }
    override int32s(values: number[]) {
      return super.int32s(each(values, int32))
    }
    override sint32s(values: number[]) {
      return super.sint32s(each(values, int32))
    }
    override fixed32s(values: number[]) {
      return super.fixed32s(each(values, uint32))
    }
    override sfixed32s(values: number[]) {
      return super.sfixed32s(each(values, int32))
    }
    override uint64s(values: Int64[]) {
      return super.uint64s(each(values, uint64))
    }
    override int64s(values: Int64[]) {
      return super.int64s(each(values, int64))
    }
    override sint64s(values: Int64[]) {
      return super.sint64s(each(values, int64))
    }
    override fixed64s(values: Int64[]) {
      return super.fixed64s(each(values, uint64))
    }
    override sfixed64s(values: Int64[]) {
      return super.sfixed64s(each(values, int64))
    }
    override floats(values: number[]) {
      return super.floats(each(values, float))
    }
    override doubles(values: number[]) {
      return super.doubles(each(values, float))
    }
    override bools(values: boolean[]) {
      return super.bools(each(values, bool))
    }
  }
}

/** The values as `check` returns them. Holes and items of typed arrays are checked too, which `map` would not do. */
function each<T>(values: ArrayLike<unknown>, check: (value: unknown) => T): T[] {
  const checked: T[] = []
  for (let i = 0; i < values.length; i++) checked.push(check(values[i]))
  return checked
}
