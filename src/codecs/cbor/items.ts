/** Major types: the three upper bits of an item's first byte (RFC 8949 §3.1). */
export const Major = { Unsigned: 0, Negative: 1, Bytes: 2, Text: 3, Array: 4, Map: 5, Tag: 6, Simple: 7 } as const

/** First bytes of major type 7 (RFC 8949 §3.3). */
export const Simple = {
  False: 0xf4,
  True: 0xf5,
  Null: 0xf6,
  Undefined: 0xf7,
  Half: 0xf9,
  Float: 0xfa,
  Double: 0xfb,
  /** Ends an item of indefinite length. */
  Break: 0xff,
} as const

/** The tags that are known here (RFC 8949 §3.4; the typed array is from RFC 8746). */
export const Tag = { TextTime: 0, EpochTime: 1, Bignum: 2, NegativeBignum: 3, Uint8Array: 64, SelfDescribed: 55799 } as const
