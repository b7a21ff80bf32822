export type PayloadKind = 'json' | 'protobuf' | 'msgpack' | 'cbor' | 'bytes'

export type PayloadName =
  | 'json-32'
  | 'json-64'
  | 'json-1k'
  | 'json-64k'
  | 'bytes-1k'
  | 'object-json'
  | 'object-protobuf'
  | 'object-msgpack'
  | 'object-cbor'
  | 'bench-json'
  | 'bench-protobuf'

export interface BenchPayload {
  name: PayloadName
  kind: PayloadKind
  bytes: number
  value: unknown
  same(reply: unknown): boolean
  of(caller: number): BenchPayload
}

export declare const payloads: Record<PayloadName, BenchPayload>

/** The object of one caller. */
export interface BenchObject {
  id: number
  text: string
  list: [number, [number]]
  ok: boolean
  f: number
}
export declare const objectOf: (caller: number) => BenchObject
export declare const messageOf: (object: BenchObject) => object
