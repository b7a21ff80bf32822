#!/usr/bin/env bash
# Guessed: metadata that was added twice under one key arrives as two values: grpc-js gives values as a list, and those of keys in -bin arrive so.
# What happens (@grpc/grpc-js 1.14.7, 2026-11-29): they leave as two headers, and grpc-js reads one value, `a, b`, as a server and as a client, which cannot be
# told from one value with a comma in it. gRPC over HTTP/2 (Custom-Metadata) holds joined values for the same as values apart, so whoever reads lists has to
# split.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E @grpc/grpc-js@1.14.7
cat >metadata.mjs <<'JS'
import http2 from 'node:http2'
import grpc from '@grpc/grpc-js'

const same = (bytes) => bytes
const seen = (metadata) => JSON.stringify([metadata.get('tag'), metadata.get('tag-bin').map(String)])
function twice() {
  const metadata = new grpc.Metadata()
  for (const value of ['a', 'b']) {
    metadata.add('tag', value)
    metadata.add('tag-bin', Buffer.from(value))
  }
  return metadata
}
const server = new grpc.Server()
const method = { path: '/shop.Shop/Buy', requestStream: false, responseStream: false }
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same }
server.addService({ buy: { ...method, ...codec } }, {
  buy(call, done) {
    console.log('the server reads', seen(call.metadata))
    call.sendMetadata(twice())
    done(null, Buffer.from('ok'))
  },
})
const port = await new Promise((resolve, reject) =>
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
)
const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
await new Promise((resolve) => {
  const call = client.makeUnaryRequest(method.path, same, same, Buffer.from('1'), twice(), () => {})
  call.on('metadata', (metadata) => console.log('the client reads', seen(metadata)))
  call.on('status', resolve)
})
client.close()
server.forceShutdown()

// What grpc-js sends, as it is on the wire.
const plain = http2.createServer()
plain.on('stream', (stream, headers, flags, raw) => {
  console.log('headers sent:', raw.filter((text, i) => raw[i - (i % 2)] === 'tag').join(' '))
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true })
})
await new Promise((resolve) => plain.listen(0, '127.0.0.1', resolve))
const second = new grpc.Client(`127.0.0.1:${plain.address().port}`, grpc.credentials.createInsecure())
await new Promise((resolve) => second.makeUnaryRequest(method.path, same, same, Buffer.from('1'), twice(), () => {}).on('status', resolve))
second.close()
plain.close()
JS
node metadata.mjs | tee got
cat >expected <<'TEXT'
the server reads [["a, b"],["a","b"]]
the client reads [["a, b"],["a","b"]]
headers sent: tag a tag b
TEXT
diff expected got
