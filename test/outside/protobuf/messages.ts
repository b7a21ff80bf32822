import protobuf from 'protobufjs'
import { random } from '../../support/random.ts'

const int32s = ['int32', 'sint32', 'sfixed32']
const uint32s = ['uint32', 'fixed32']
const int64s = ['int64', 'sint64', 'sfixed64']
const uint64s = ['uint64', 'fixed64']
const numbers = [...int32s, ...uint32s, ...int64s, ...uint64s, 'float', 'double', 'bool', 'Color']
const kinds = [...numbers, 'string', 'bytes', 'Every']
const keys = [...int32s, ...uint32s, ...int64s, ...uint64s, 'bool', 'string']

/** The forms that a field can have, and which kinds have them. */
const forms: Record<string, readonly string[]> = {
  one: kinds,
  maybe: kinds.filter((kind) => kind !== 'Every'),
  many: kinds,
  apart: numbers,
  of: kinds,
  by: keys,
  chosen: kinds,
}

let id = 0
const field = (form: string, kind: string): string => `${form}_${kind} = ${++id}`
const lines = {
  one: kinds.map((kind) => `${kind} ${field('one', kind)};`),
  maybe: forms.maybe.map((kind) => `optional ${kind} ${field('maybe', kind)};`),
  many: kinds.map((kind) => `repeated ${kind} ${field('many', kind)};`),
  apart: numbers.map((kind) => `repeated ${kind} ${field('apart', kind)} [packed = false];`),
  of: kinds.map((kind) => `map<string, ${kind}> ${field('of', kind)};`),
  by: keys.map((kind) => `map<${kind}, Color> ${field('by', kind)};`),
  chosen: kinds.map((kind) => `${kind} ${field('chosen', kind)};`),
}

const { root } = protobuf.parse(
  `syntax = "proto3"; package outside;
  enum Color { RED = 0; GREEN = 1; FAR = 2147483647; NONE = -1; }
  message Every {
    oneof choice { ${lines.chosen.join(' ')} } // protobufjs puts oneofs into descriptors in the order of the source, which Python wants before optional fields
    ${[...lines.one, ...lines.maybe, ...lines.many, ...lines.apart, ...lines.of, ...lines.by].join('\n')}
  }`,
  { keepCase: true },
)
root.resolveAll()

/** A message that has a field of every kind in every form: alone, optional, repeated, packed and not, of a map, key of a map, of a oneof. */
export const Every = root.lookupType('outside.Every')

/** What other languages make the type of. */
export async function descriptors(): Promise<Uint8Array> {
  const { default: descriptor } = await import('protobufjs/ext/descriptor.js')
  const set = (root as unknown as { toDescriptor(edition: string): object }).toDescriptor('proto3')
  return descriptor.FileDescriptorSet.encode(set as never).finish()
}

const values: Record<string, readonly unknown[]> = {
  float: [0, -0, 1.5, 2 ** -149, 2 ** 127, -(2 ** 24), Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  double: [0, -0, 0.1, 5e-324, 1.7e308, 2 ** 53 - 1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  bool: [false, true],
  Color: [0, 1, 2 ** 31 - 1, -1, 77],
  string: ['', 'a', 'ü水\u{10151}', 'x'.repeat(130), '\0'],
  bytes: [Buffer.alloc(0), Buffer.from([0, 255]), Buffer.alloc(130, 7)],
  ...Object.fromEntries(int32s.map((kind) => [kind, [0, 1, -1, 127, 128, -(2 ** 31), 2 ** 31 - 1]])),
  ...Object.fromEntries(uint32s.map((kind) => [kind, [0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1]])),
  ...Object.fromEntries(int64s.map((kind) => [kind, [0n, 1n, -1n, 2n ** 32n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n]])),
  ...Object.fromEntries(uint64s.map((kind) => [kind, [0n, 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]])),
}

type Fields = Record<string, unknown>

/** `count` messages as plain objects, the same for the same seed. Fields that proto3 does not write since they have their default are left out. */
export function messages(count: number, seed: number): Fields[] {
  const rnd = random(seed)
  const value = (kind: string, depth: number): unknown => (kind === 'Every' ? message(depth + 1) : values[kind][rnd(values[kind].length)])
  const list = (make: () => unknown): unknown[] => Array.from({ length: 1 + rnd(4) }, make)
  const entries = (kind: string, depth: number): Fields =>
    Object.fromEntries(list(() => [`k${rnd(9)}`, value(kind, depth)]) as [string, unknown][])
  const make: Record<string, (kind: string, depth: number) => unknown> = {
    one: (kind, depth) => (kind === 'Every' ? message(depth + 1) : values[kind][1 + rnd(values[kind].length - 1)]),
    maybe: value,
    many: (kind, depth) => list(() => value(kind, depth)),
    apart: (kind, depth) => list(() => value(kind, depth)),
    of: entries,
    by: (kind, depth) => Object.fromEntries(list(() => [String(value(kind, depth)), value('Color', depth)]) as [string, unknown][]),
    chosen: value,
  }
  const message = (depth: number): Fields => {
    const made: Fields = {}
    for (const [form, has] of Object.entries(forms)) {
      for (const kind of has) {
        const likely = kind === 'Every' ? depth < 3 && rnd(6) === 0 : rnd(depth === 0 ? 3 : 12) === 0
        if (likely && (form !== 'chosen' || !Object.keys(made).some((name) => name.startsWith('chosen_'))))
          made[`${form}_${kind}`] = make[form](kind, depth)
      }
    }
    return made
  }
  return Array.from({ length: count }, () => message(0))
}
