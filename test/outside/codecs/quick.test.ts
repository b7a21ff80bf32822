import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { transports } from '../../support/helpers.ts'
import { npmPackages } from '../support/install.ts'
import { suite } from '../support/suite.ts'
import { bodies } from './bodies.ts'
import { plainForm } from './plain-form.ts'
import { values } from './values.ts'

/** Another implementation, set up so that it has a form for nearly all of `values`. */
interface Library {
  name: string
  codec: 'cbor' | 'msgpack'
  encode: (value: unknown) => Uint8Array
  decode: (body: Uint8Array) => unknown
  /** The plain forms of values that it writes as others, and of those that it cannot read. */
  loses?: RegExp
  fails?: RegExp
}

/** -0 is written as the integer 0. */
const MINUS_ZERO = /^f80{15}$/
/** Whole seconds of more than 32 bits: cbor-x makes a BigInt of them, with which it then cannot compute. */
const FAR_DATE = /^d(?:4294967296|17179869184)000$/

await suite(
  'CBOR and msgpack of other libraries',
  async (): Promise<Library[]> => {
    const folder = join(await npmPackages(import.meta.dirname), 'node_modules')
    const load = (file: string) => import(pathToFileURL(join(folder, file)).href)
    const cborg = await load('cborg/lib/extended/extended.js')
    const { Encoder } = await load('cbor-x/node-index.js')
    const cborX = new Encoder({ useRecords: false, mapsAsObjects: true })
    const msgpack = await load('@msgpack/msgpack/dist.esm/index.mjs')
    const { Packr } = await load('msgpackr/node-index.js')
    const packr = new Packr({ useRecords: false, mapsAsObjects: true })
    return [
      {
        name: 'cborg',
        codec: 'cbor',
        encode: cborg.encode,
        // It writes dates with tag 1, and reads no others unless told to.
        decode: (body) => cborg.decode(body, { tags: { 0: (text: () => string) => new Date(text()) } }),
      },
      {
        name: 'cbor-x',
        codec: 'cbor',
        encode: (value) => cborX.encode(value),
        decode: (body) => cborX.decode(body),
        loses: MINUS_ZERO,
        fails: FAR_DATE,
      },
      {
        name: '@msgpack/msgpack',
        codec: 'msgpack',
        encode: (value) => msgpack.encode(value, { useBigInt64: true }),
        decode: (body) => msgpack.decode(body, { useBigInt64: true }),
        loses: MINUS_ZERO,
      },
      {
        name: 'msgpackr',
        codec: 'msgpack',
        encode: (value) => packr.encode(value),
        decode: (body) => packr.decode(body),
        loses: MINUS_ZERO,
      },
    ]
  },
  (libraries) => {
    for (const transport of transports) {
      for (const { name, codec, encode, decode, loses, fails } of libraries) {
        it(`we read what ${name} wrote (${transport})`, async (t) => {
          const { read } = await bodies(t, transport, codec)
          const known = values.filter((value) => !loses?.test(plainForm(value)))
          assert.ok(known.length > values.length - 2)
          for (const value of known) assert.equal(await read(encode([value])), plainForm([value]))
        })

        it(`${name} reads what we wrote (${transport})`, async (t) => {
          const { write } = await bodies(t, transport, codec)
          const known = values.filter((value) => !fails?.test(plainForm(value)))
          assert.ok(known.length > values.length - 3)
          for (const value of known) assert.equal(plainForm(decode(await write(value))), plainForm([value]))
        })
      }
    }
  },
)

await suite(
  'Bodies that others have written down',
  async () => {
    const folder = join(await npmPackages(import.meta.dirname), 'node_modules')
    const load = (file: string) => import(pathToFileURL(join(folder, file)).href)
    return { appendixA: (await load('cborg/test/appendix_a.js')).fixtures as Example[], msgpack: await msgpackExamples(folder) }
  },
  ({ appendixA, msgpack }) => {
    for (const transport of transports) {
      it(`RFC 8949, appendix A (${transport})`, async (t) => {
        const { read, write } = await bodies(t, transport, 'cbor')
        assert.equal(appendixA.length, 82)
        for (const example of appendixA) {
          const body = Buffer.from(example.hex, 'hex')
          const value = meaning(example)
          if (value === REFUSED) {
            await assert.rejects(read(body), { code: 400 }, example.hex)
            continue
          }
          assert.equal(await read(body), plainForm(value), example.hex)
          // We write keys as text, and floats that have a fraction in eight bytes.
          if (!example.roundtrip || example.hex === 'a201020304' || /^f[9a]/.test(example.hex)) continue
          assert.equal(Buffer.from(await write(value)).toString('hex'), `81${example.hex}`)
        }
      })

      it(`RFC 8949, appendix F: what is not well-formed (${transport})`, async (t) => {
        const { read } = await bodies(t, transport, 'cbor')
        const malformed = malformedCbor(appendixA.map(({ hex }) => Buffer.from(hex, 'hex')))
        assert.equal(malformed.length, 525)
        for (const body of malformed) await assert.rejects(read(body), { code: 400 }, body.toString('hex'))
      })

      it(`msgpack-test-suite (${transport})`, async (t) => {
        const { read, write } = await bodies(t, transport, 'msgpack')
        const counts = { bodies: 0, extensions: 0 }
        for (const { value, written, exact } of msgpack) {
          for (const hex of written) {
            const body = Buffer.from(hex, 'hex')
            counts.bodies++
            if (value !== undefined) {
              assert.equal(await read(body), plainForm(value), hex)
            } else {
              counts.extensions++
              await assert.rejects(read(body), { code: 400 }, hex)
            }
          }
          if (value === undefined || !exact) continue
          const ours = Buffer.from(await write(value)).toString('hex')
          assert.ok(written.includes(ours.slice(2)), `${ours} is none of ${written}`)
        }
        assert.deepEqual(counts, { bodies: 233, extensions: 11 })
      })
    }
  },
)

interface Example {
  hex: string
  roundtrip: boolean
  decoded?: unknown
  diagnostic?: string
}

const diagnostics: Record<string, unknown> = {
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
  '0("2013-03-21T20:04:00Z")': new Date(1_363_896_240_000),
  '1(1363896240)': new Date(1_363_896_240_000),
  '1(1363896240.5)': new Date(1_363_896_240_500),
  "h''": Buffer.alloc(0),
  "h'01020304'": Buffer.from([1, 2, 3, 4]),
  '{1: 2, 3: 4}': { 1: 2, 3: 4 },
  "(_ h'0102', h'030405')": Buffer.from([1, 2, 3, 4, 5]),
}

/** Simple values and tags that no codec of ours has. */
const REFUSED = Symbol('refused')

/** What a handler gets for an example of CBOR. */
function meaning({ hex, decoded, diagnostic }: Example): unknown {
  if (hex === 'f98000') return -0
  if (hex === 'f7') return undefined
  if (diagnostic === undefined) return decoded
  return diagnostic in diagnostics ? diagnostics[diagnostic] : REFUSED
}

/** The kinds of malformed items that appendix F lists, made of its rules and of well-formed items. */
function malformedCbor(items: readonly Buffer[]): Buffer[] {
  const majors = [0, 1, 2, 3, 4, 5, 6, 7].map((major) => major << 5)
  // Cut short at every byte. Without any there is no body at all.
  const cut = items.flatMap((item) => Array.from({ length: item.length - 1 }, (_, i) => item.subarray(0, i + 1)))
  const reserved = majors.flatMap((major) => [28, 29, 30].map((info) => Buffer.from([major | info])))
  const indefinite = [0, 1, 6].map((major) => Buffer.from([(major << 5) | 31]))
  const lengths = majors.slice(2, 6).flatMap((major) => [1, 23].map((length) => Buffer.from([major | length])))
  const simple = Array.from({ length: 32 }, (_, value) => Buffer.from([0xf8, value]))
  // Chunks that are of another kind, or of indefinite length themselves.
  const chunks = [0x5f, 0x7f].flatMap((text) =>
    ['00', '21', text === 0x5f ? '6100' : '4100', '80', 'a0', 'c000', 'e0', '5f4100ff', '7f6100ff'].map((chunk) =>
      Buffer.from(`${text.toString(16)}${chunk}ff`, 'hex'),
    ),
  )
  // A break where none may be, a map with an odd number of items, and more than one item.
  const others = [
    'ff',
    '81ff',
    '8200ff',
    'a1ff',
    'a1ff00',
    'a100ff',
    'a20000ff',
    '9f81ff',
    '9f829f819f9fffffffff',
    'bf00ff',
    'bf000000ff',
    'c0ff',
    '0000',
  ]
  return [...cut, ...reserved, ...indefinite, ...lengths, ...simple, ...chunks, ...others.map((hex) => Buffer.from(hex, 'hex'))]
}

interface Written {
  value: unknown
  written: string[]
  /** False for times that a Date does not hold, which has milliseconds. */
  exact: boolean
}

async function msgpackExamples(folder: string): Promise<Written[]> {
  const file = pathToFileURL(join(folder, 'msgpack-test-suite/dist/msgpack-test-suite.json')).href
  const { default: groups } = await import(file, { with: { type: 'json' } })
  const examples = Object.values(groups).flat() as Record<string, never>[]
  return examples.map(({ msgpack, ...entry }) => {
    const [[type, value]] = Object.entries(entry) as [string, never][]
    const exact = type !== 'timestamp' || value[1] % 1_000_000 === 0
    return { value: msgpackValue(type, value), exact, written: (msgpack as string[]).map((hex) => hex.replaceAll('-', '')) }
  })
}

function msgpackValue(type: string, value: unknown): unknown {
  if (type === 'binary') return Buffer.from((value as string).replaceAll('-', ''), 'hex')
  if (type === 'bignum') return BigInt(value as string)
  if (type === 'ext') return undefined
  if (type !== 'timestamp') return value
  const [seconds, nanoseconds] = value as [number, number]
  return new Date(seconds * 1000 + Math.floor(nanoseconds / 1_000_000))
}
