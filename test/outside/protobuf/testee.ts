// What protobuf's conformance runner talks to: every binary message of it makes a call from one endpoint to another, whose handler gives back what it got.
// Arguments: the folder of the runner's .proto files, the transport.

import { readSync, writeSync } from 'node:fs'
import protobuf from 'protobufjs'
import { bytes, Endpoint, StatusError } from '../../../src/index.ts'
import type { Kind } from '../../support/helpers.ts'

const [folder = '', transport = 'js'] = process.argv.slice(2)

const root = new protobuf.Root()
root.resolvePath = (_origin, target) => (target.startsWith('/') ? target : `${folder}/${target}`)
root.loadSync(
  ['conformance/conformance.proto', 'google/protobuf/test_messages_proto2.proto', 'google/protobuf/test_messages_proto3.proto'],
  { keepCase: true },
)
const Request = root.lookupType('conformance.ConformanceRequest')
const Response = root.lookupType('conformance.ConformanceResponse')

const server = new Endpoint({ transport: transport as Kind, log: false })
const client = new Endpoint({ transport: transport as Kind, log: false })
const names = ['protobuf_test_messages.proto3.TestAllTypesProto3', 'protobuf_test_messages.proto2.TestAllTypesProto2']
for (const name of names) {
  const type = root.lookupType(name)
  server.routeCall(`/${name}`, (message: unknown) => message, { arg: type, result: type })
}
const session = await client.dial((await server.listen('tcp://127.0.0.1:0')).url)

interface Asked {
  protobufPayload?: Uint8Array
  protobuf_payload?: Uint8Array
  payload?: string
  message_type: string
  requested_output_format: number
}

async function answer(asked: Asked): Promise<object> {
  if (asked.protobuf_payload === undefined || asked.requested_output_format !== 1) return { skipped: 'the binary format is all there is' }
  if (!names.includes(asked.message_type)) return { skipped: 'a message of editions' }
  try {
    const body = await session.call(`/${asked.message_type}`, asked.protobuf_payload, { codec: 'protobuf', result: bytes })
    return { protobuf_payload: body }
  } catch (error) {
    if (!(error instanceof StatusError)) return { runtime_error: String(error) }
    return error.code === 400 ? { parse_error: error.cause } : { runtime_error: `${error.code} ${error.message} ${error.cause}` }
  }
}

/** The next `length` bytes of stdin; undefined at its end. */
function read(length: number): Buffer | undefined {
  const into = Buffer.alloc(length)
  for (let got = 0; got < length; ) {
    const more = readSync(0, into, got, length - got, null)
    if (more === 0) return undefined
    got += more
  }
  return into
}

for (;;) {
  const size = read(4)
  if (size === undefined) break
  const request = read(size.readUInt32LE(0))
  if (request === undefined) break
  const asked = Request.toObject(Request.decode(request), { oneofs: true }) as Asked
  const response = Response.encode(Response.fromObject(await answer(asked))).finish()
  const head = Buffer.alloc(4)
  head.writeUInt32LE(response.length)
  writeSync(1, Buffer.concat([head, response]))
}
await client.close()
await server.close()
