import protobuf from 'protobufjs'

// Message types of the tests, as protobufjs reflects them. `Static` is written the way pbjs generates classes.

const { root } = protobuf.parse(
  `syntax = "proto3";
  package test;
  enum Color { RED = 0; GREEN = 1; BLUE = 5; }
  message All {
    int32 i32 = 1; uint32 u32 = 2; sint32 s32 = 3; fixed32 f32 = 4; sfixed32 sf32 = 5;
    int64 i64 = 6; uint64 u64 = 7; sint64 s64 = 8; fixed64 f64 = 9; sfixed64 sf64 = 10;
    float flt = 11; double dbl = 12; bool flag = 13; string text = 14; bytes data = 15;
    Color color = 16; All child = 17; optional int32 maybe = 18; optional Color tint = 19;
    oneof choice { string left = 20; int32 right = 21; }
    repeated int32 i32s = 30; repeated int64 i64s = 31; repeated uint64 u64s = 32; repeated double dbls = 33; repeated bool flags = 34;
    repeated string texts = 35; repeated bytes datas = 36; repeated Color colors = 37; repeated All children = 38;
    repeated fixed64 f64s = 39; repeated sint64 s64s = 40; repeated uint32 u32s = 41; repeated float flts = 42;
    map<string, int32> names = 50; map<int32, string> numbers = 51; map<string, All> tree = 52; map<int64, int64> longs = 53;
    map<bool, bytes> halves = 54;
  }
  message Small { int64 id = 1; string text = 2; bytes data = 3; }
  message Nothing {}`,
  { keepCase: true },
)

export const All = root.lookupType('test.All')
export const Small = root.lookupType('test.Small')
export const Nothing = root.lookupType('test.Nothing')
/** A proto2 type: a required field, strings that are not checked. */
export const Old = protobuf
  .parse('syntax = "proto2"; message Old { required int32 must = 1; optional string text = 2; }')
  .root.lookupType('Old')

/** DMicro's BenchmarkMessage (its tests/benchmark/benchmark.proto). */
export const BenchmarkMessage = protobuf
  .parse(`syntax = "proto3"; message BenchmarkMessage {${benchmarkFields()}}`, { keepCase: true })
  .root.lookupType('BenchmarkMessage')

function benchmarkFields(): string {
  const texts = new Set([1, 4, 5, 7, 8, 14, 30, 31, 34])
  const bools = new Set([9, 10, 11, 12, 17, 20, 21, 25, 26, 27])
  const fields = Array.from({ length: 40 }, (_, i) => i + 1).map((id) => {
    const kind = texts.has(id) ? 'string' : bools.has(id) ? 'bool' : id === 16 ? 'int64' : 'int32'
    return `${id === 5 ? 'repeated ' : ''}${kind} Field${id} = ${id};`
  })
  return fields.join(' ')
}

/** What DMicro's own benchmark sends. */
export const benchmarkValue: Record<string, unknown> = (() => {
  const text = '如果爱，请深爱，老男人情话大赏!'
  const value: Record<string, unknown> = { Field5: [text, text, text], Field16: 9999, Field18: 11111, Field22: 111111111 }
  for (const id of [1, 4, 7, 8, 14, 30]) value[`Field${id}`] = text
  for (const id of [2, 3, 6, 13, 15, 33, 35, 37, 38, 39, 40]) value[`Field${id}`] = 100_000
  for (const id of [9, 10, 11, 12]) value[`Field${id}`] = true
  return {
    ...value,
    Field23: 22222222,
    Field24: 22222222,
    Field28: 2223333,
    Field29: 45778888,
    Field31: 'aaaaaa',
    Field32: 12222,
    Field34: 'fdsfsdfsafadsfsfa',
    Field36: 23456,
  }
})()

/** The type `test.Small` as a static class. */
export class Static {
  id: number | object = 0
  text = ''
  data: Uint8Array = new Uint8Array(0)

  static encode(message: Partial<Static>, writer: protobuf.Writer = protobuf.Writer.create()): protobuf.Writer {
    if (message.id != null && Object.hasOwn(message, 'id')) writer.uint32(8).int64(message.id as number)
    if (message.text != null && Object.hasOwn(message, 'text')) writer.uint32(18).string(message.text)
    if (message.data != null && Object.hasOwn(message, 'data')) writer.uint32(26).bytes(message.data)
    return writer
  }

  static decode(from: protobuf.Reader | Uint8Array, length?: number): Static {
    const reader = from instanceof protobuf.Reader ? from : protobuf.Reader.create(from)
    const end = length === undefined ? reader.len : reader.pos + length
    const message = new Static()
    while (reader.pos < end) {
      const tag = reader.uint32()
      if (tag === 8) message.id = reader.int64()
      else if (tag === 18) message.text = reader.string()
      else if (tag === 26) message.data = reader.bytes()
      else reader.skipType(tag & 7)
    }
    return message
  }
}
