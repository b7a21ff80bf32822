/** What a description says of a field of a protobuf message, in `x-protobuf` of its schema. */
export interface ProtobufField {
  readonly id: number
  readonly type: string
  /** Type of a map's keys. */
  readonly key?: string
  /** A scalar that may be absent: part of a oneof, `optional`, of proto2, or of an edition. */
  readonly optional?: true
  readonly required?: true
  /** What it is when absent, where that is no zero: digits for 64-bit integers, base64 for bytes, `inf`, `-inf`, `nan`. */
  readonly default?: string | number | boolean
  /** Encoded as a group. */
  readonly delimited?: true
  /** Values that the enum lacks are dropped by who reads them. */
  readonly closed?: true
  /** A list of numbers that is written member by member, not packed. */
  readonly expanded?: true
}

/** What a description says of a protobuf message, in `x-protobuf` of its schema. */
export interface ProtobufMessage {
  readonly message: string
  /** Absent for proto3. */
  readonly edition?: string
}

/** The greatest number that a field may have. */
export const MAX_FIELD = 2 ** 29 - 1

/** Types that the keys of a map may have. */
export const MAP_KEYS = [
  ...['int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64'],
  ...['fixed32', 'fixed64', 'sfixed32', 'sfixed64', 'bool', 'string'],
]
