// What the C++ programs send, as a file: the bytes of payloads without any framing.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type PayloadKind, payloads } from './payloads.mjs'
import { path } from './processes.ts'
import type { Payload } from './trials.ts'

/** Different objects that the C++ client sends, a power of two; from this many callers on some send the same. */
const OBJECTS = 1_024

/** Writes the body of `payload` into `folder`; the file's path. */
export async function bodyFile(folder: string, payload: Payload): Promise<string> {
  return (await write(folder, payload, 1)).file
}

/** The same for the C++ client: one body for each of several callers, where theirs differ. */
export async function bodiesFile(folder: string, payload: Payload): Promise<{ file: string; count: number }> {
  const { value, of } = payloads[payload]
  return await write(folder, payload, of(1).value === value ? 1 : OBJECTS)
}

async function write(folder: string, payload: Payload, count: number): Promise<{ file: string; count: number }> {
  const { kind, bytes, of } = payloads[payload]
  const encode = await encoders[kind]()
  const bodies = Array.from({ length: count }, (_, caller) => Buffer.from(encode(of(caller).value)))
  const odd = bodies.find((body) => body.length !== bytes)
  if (odd !== undefined) throw new Error(`${payload} has ${odd.length} bytes, not ${bytes}`)
  const file = join(folder, payload)
  writeFileSync(file, Buffer.concat(bodies))
  return { file, count }
}

type Encode = (value: unknown) => string | Uint8Array

/** Those of dmicro, so that what it sends back is the same bytes. */
type OurCodec = 'msgpack' | 'cbor'
const ours = async (name: OurCodec): Promise<Encode> => {
  const module = (await import(pathToFileURL(path('../dist/index.js')).href)) as Record<OurCodec, () => { encode: Encode }>
  return module[name]().encode
}

const encoders: Record<PayloadKind, () => Promise<Encode>> = {
  json: async () => (value) => JSON.stringify(value),
  protobuf: async () => protobuf,
  msgpack: () => ours('msgpack'),
  cbor: () => ours('cbor'),
  bytes: async () => (value) => value as Uint8Array,
}

interface ProtoLoader {
  loadSync(
    file: string,
    options: { keepCase: boolean; includeDirs: string[] },
  ): Record<'bench.Echo', Record<'EchoMessage' | 'EchoObject', { requestSerialize(value: object): Buffer }>>
}

function protobuf(value: unknown): Uint8Array {
  // Loaded when it is needed: it is installed for the bench suite alone.
  const { loadSync } = createRequire(import.meta.url)('@grpc/proto-loader') as ProtoLoader
  const echo = loadSync('grpc.proto', { keepCase: true, includeDirs: [path('drivers'), path('.')] })['bench.Echo']
  const { requestSerialize } = 'Field1' in (value as object) ? echo.EchoMessage : echo.EchoObject
  // proto3 leaves defaults out; this encoder writes whatever it is given.
  return requestSerialize(Object.fromEntries(Object.entries(value as object).filter(([, field]) => field !== false && field !== 0)))
}
