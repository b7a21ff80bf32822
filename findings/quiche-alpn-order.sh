#!/usr/bin/env bash
# Guessed: of the application protocols that a QUIC client offers, a server made of @matrixai/quic's quiche chooses the one that it lists first itself, as RFC 7301
# §3.2 says that a server should, and as node:tls does.
# What happens (@matrixai/quic 2.0.9, 2026-11-29): it chooses the one that the client lists first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E @matrixai/quic@2.0.9
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>/dev/null
cat >order.mjs <<'JS'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import quiche from '@matrixai/quic/native/quiche.js'

const [key, cert] = [readFileSync('key.pem'), readFileSync('cert.pem')]
const [client, server] = [{ host: '127.0.0.1', port: 1 }, { host: '127.0.0.1', port: 2 }]

function config(protocols, keys, certs) {
  const made = quiche.Config.withBoringSslCtx(false, true, undefined, keys, certs, undefined)
  made.setApplicationProtos(protocols)
  made.setMaxIdleTimeout(5000)
  return made
}

/** The protocol that both ends of a connection in memory agree on. */
function overQuic(offered, listed) {
  const id = () => randomBytes(quiche.MAX_CONN_ID_LEN)
  const near = quiche.Connection.connect('localhost', id(), client, server, config(offered))
  let far
  const datagram = Buffer.alloc(1500)
  for (let turn = 0; turn < 20 && !(near.isEstablished() && far?.isEstablished()); turn++) {
    for (const [from, to] of [[near, server], [far, client]]) {
      for (let sent = from?.send(datagram); sent; sent = from.send(datagram)) {
        const bytes = Buffer.from(datagram.subarray(0, sent[0]))
        if (from === near && far === undefined) far = quiche.Connection.accept(id(), undefined, server, client, config(listed, [key], [cert]))
        ;(from === near ? far : near).recv(bytes, { from: from === near ? client : server, to })
      }
    }
  }
  return Buffer.from(near.applicationProto()).toString()
}

async function overTls(offered, listed) {
  const listener = tls.createServer({ key, cert, ALPNProtocols: listed }, (socket) => socket.end()).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const socket = tls.connect({ port: listener.address().port, host: '127.0.0.1', ALPNProtocols: offered, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  listener.close()
  socket.destroy()
  return socket.alpnProtocol
}

const [offered, listed] = [['b', 'a'], ['a', 'b']]
console.log('the client offers', offered.join(' '), 'and the server lists', listed.join(' '))
console.log('quiche:', overQuic(offered, listed))
console.log('node:tls:', await overTls(offered, listed))
process.exit(0)
JS
node order.mjs | tee got
cat >expected <<'TEXT'
the client offers b a and the server lists a b
quiche: b
node:tls: a
TEXT
diff expected got
