// What the C++ programs send, as a file: the bytes of a payload without any framing.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { payloads } from './payloads.mjs'
import { path } from './processes.ts'
import type { Payload } from './trials.ts'

interface ProtoLoader {
  loadSync(
    file: string,
    options: { keepCase: boolean; includeDirs: string[] },
  ): {
    'bench.Echo': { EchoMessage: { requestSerialize(value: object): Buffer } }
  }
}

/** Writes the body of `payload` into `folder`; the file's path. */
export function bodyFile(folder: string, payload: Payload): string {
  const { kind, value, bytes } = payloads[payload]
  const body = kind === 'json' ? Buffer.from(JSON.stringify(value)) : protobuf(value as object)
  if (body.length !== bytes) throw new Error(`${payload} has ${body.length} bytes, not ${bytes}`)
  const file = join(folder, payload)
  writeFileSync(file, body)
  return file
}

function protobuf(value: object): Buffer {
  // Loaded when it is needed: it is installed for the bench suite alone.
  const { loadSync } = createRequire(import.meta.url)('@grpc/proto-loader') as ProtoLoader
  const echo = loadSync('grpc.proto', { keepCase: true, includeDirs: [path('drivers'), path('.')] })['bench.Echo']
  // proto3 leaves defaults out; this encoder writes whatever it is given.
  const set = Object.entries(value).filter(([, field]) => field !== false && field !== 0)
  return echo.EchoMessage.requestSerialize(Object.fromEntries(set))
}
