import protobuf from 'protobufjs'
import { z } from 'zod'
import { call, declareError, defineService, group, none, push } from '../../src/contract/index.ts'
import type { MessageType } from '../../src/index.ts'

/** A protobuf message with a field of each kind. */
export interface Point {
  x?: number
  near?: Point[]
  names?: Record<string, string>
  note?: string
  count?: number
  kind?: number
  kinds?: number[]
  parts?: number[]
}

const { root } = protobuf.parse(`syntax = "proto3";
// A place.
message Point {
  // How far to the right.
  sint32 x = 3;
  repeated Point near = 7;
  map<string, string> names = 9;
  optional string note = 11;
  oneof some { uint32 count = 12; bool no = 13; }
  enum Kind { NEW = 0; OLD = 1; }
  Kind kind = 14;
  repeated Kind kinds = 15;
  repeated double parts = 16;
}`)
const PointType = root.lookupType('Point') as unknown as MessageType<Point>

/** Bytes that may be absent, which are not the same as empty ones. */
export interface Raw {
  a?: Uint8Array
  b?: Uint8Array
  c?: string
}

/** A message of proto2, whose fields are absent, required, or groups. */
export interface Old {
  name: string
  count?: number
  box?: { inside?: Uint8Array }
  part?: { n: number }[]
  ns?: number[]
  no?: boolean
}

const RawType = protobuf
  .parse('syntax = "proto3"; message Raw { optional bytes a = 1; oneof of { bytes b = 2; string c = 3; } }')
  .root.lookupType('Raw') as unknown as MessageType<Raw>
const OldType = protobuf
  .parse(
    `syntax = "proto2"; message Old { required string name = 1; optional int32 count = 2 [default = 7];
     optional group Box = 3 { optional bytes inside = 1 [default = "a,\`b"]; } repeated group Part = 4 { required int32 n = 1; }
     repeated int32 ns = 5; optional bool no = 6; }`,
  )
  .root.lookupType('Old') as unknown as MessageType<Old>

export interface Tree {
  name: string
  children: Tree[]
}
const Tree: z.ZodType<Tree> = z
  .object({
    name: z.string(),
    get children() {
      return z.array(Tree)
    },
  })
  .meta({ id: 'Tree' })

export const Event = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('bought'), items: z.array(z.string()) }).meta({ id: 'Bought' }),
    z.object({ type: z.enum(['sold', 'sold-out']), count: z.number().int() }),
  ])
  .meta({ id: 'Event', description: 'What happened.' })

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }
const Json: z.ZodType<Json> = z
  .lazy(() => z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(Json), z.record(z.string(), Json)]))
  .meta({ id: 'Json' })

export const All = z
  .object({
    type: z.string().describe('A word of Go.\n\n# Not a heading\n\n- not a list'),
    count: z.number().int(),
    ratio: z.number(),
    small: z.int32(),
    yes: z.boolean(),
    bytes: z.base64(),
    kind: z.enum(['new', 'old', '', '\ufeff']),
    maybe: z.string().optional(),
    nullable: z.number().nullable(),
    list: z.array(z.string()),
    lists: z.array(z.array(z.number())),
    few: z.array(z.string()).optional(),
    map: z.record(z.string(), z.object({ x: z.number() })),
    pair: z.tuple([z.string(), z.number()]),
    either: z.union([z.string(), z.number()]),
    event: Event,
    noEvent: Event.nullable(),
    word: z.union([z.literal('auto'), z.literal('none'), z.null()]),
    range: z.tuple([z.number(), z.array(z.string()), z.number().optional()], z.boolean()),
    outcome: z.union([z.object({ ok: z.literal(true), n: z.number() }), z.object({ ok: z.literal(false), why: z.string() })]).optional(),
    json: Json,
    'with space': z.literal(3),
    inner: z.object({ a: z.string() }).optional(),
  })
  .meta({ id: 'All', description: 'A value of each kind.' })
export type All = z.infer<typeof All>

export const TooMany = declareError(1001, 'too "many"', z.object({ max: z.number().int(), why: z.array(z.string()) }))
export const Closed = declareError(1002, 'closed')

/** A contract with what is hard in Go: its words, members of its contexts, nil, null, routes that names must give. */
export const Shapes = defineService(
  'shapes',
  {
    echo: call(All, All, { docs: '# Echoes\n\nAll kinds\ufeff of values.\n- one\n* two', errors: { TooMany, Closed } }),
    func: call(Tree, Tree, { deprecated: 'use echo' }),
    lengths: call(z.array(z.string()), z.array(z.number())),
    null: call(z.string().nullable(), z.object({ a: z.string() }).nullable()),
    session: call(z.string(), z.boolean(), { docs: 'Named as a member of contexts.' }),
    get_all: call(none, z.record(z.string(), z.number())),
    aB: push(z.object({ text: z.string() }), { callable: true }),
    output: group({
      iP: call(none, none),
      point: call(PointType, PointType),
      note: push(PointType),
      raw: call(RawType, RawType),
      old: call(OldType, OldType),
    }),
    either: call(z.union([z.string(), z.number()]), z.tuple([z.string(), z.number()])),
    happened: call(Event, Event.nullable()),
    back: call(z.string(), z.string(), { docs: 'Calls the caller back.' }),
  },
  { group: 'v2', version: '3.1.0', toClient: { ask: call(z.string(), z.string()), told: push(z.object({ text: z.string() })) } },
)

/** A value of each kind. */
export const ALL: All = {
  type: 'ü "quoted"\n',
  count: 2 ** 53 - 1,
  ratio: 0.5,
  small: -7,
  yes: true,
  bytes: 'AQID',
  kind: '',
  nullable: null,
  list: [],
  lists: [[1], []],
  few: [],
  map: { a: { x: 1 } },
  pair: ['a', 1],
  either: 2,
  event: { type: 'bought', items: [] },
  noEvent: null,
  word: 'none',
  range: [1, ['a'], 2, true, false],
  outcome: { ok: false, why: 'closed' },
  json: { a: [1, null, { b: true }], c: 'text' },
  'with space': 3,
}

export const POINT: Point = {
  x: -5,
  near: [{ x: 1 }, { near: [{ note: 'deep' }] }],
  names: { a: 'b' },
  note: '',
  count: 7,
  kind: 1,
  kinds: [1, 0],
  parts: [0.5, -1],
}
