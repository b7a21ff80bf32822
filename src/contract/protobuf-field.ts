/** A field of a protobuf message in a description: `x-protobuf` of its schema. */
export interface ProtobufField {
  readonly id: number
  readonly type: string
  /** Type of a map's keys. */
  readonly key?: string
  /** A scalar that may be absent: part of a oneof, `optional`, of proto2, or of an edition. */
  readonly optional?: true
  readonly required?: true
  /**
   * Value that an absent field has, where the .proto names one: 64-bit integers as digits, bytes in hex, numbers that
   * JSON lacks as `inf`, `-inf` and `nan`.
   */
  readonly default?: string | number | boolean
  /** Encoded as a group. */
  readonly delimited?: true
  /** Values that the enum lacks are dropped by who reads them. */
  readonly closed?: true
  /** A list of numbers that is written member by member, not packed. */
  readonly expanded?: true
}

/** A protobuf message in a description: `x-protobuf` of its schema. */
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
