#!/usr/bin/env bash
# Guessed: a server of WebSocket that knows none of the sub-protocols a client offers can leave them unanswered, and the connection is then open without one:
# RFC 6455 has a client fail only for an answer that it did not offer (§4.1), and calls a missing one "null" (§4.2.2).
# What happens (2026-11-30): ws 8.23.0, undici 7.30.2, websocket 1.0.35 and websocket-client 1.9.2 of Python fail, as the WHATWG's standard has browsers do.
# faye-websocket 0.11.4, and websockets 17.4 and aiohttp 3.14.5 of Python, open. So whether a server may ignore the offer depends on the client's library.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true,"type":"module"}' >package.json
npm install --silent --ignore-scripts --no-audit --no-fund -E ws@8.23.0 undici@7.30.2 websocket@1.0.35 faye-websocket@0.11.4
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check websockets==17.4 websocket-client==1.9.2 aiohttp==3.14.5
cat >python.py <<'PY'
import asyncio, sys
import aiohttp, websocket, websockets

library, url = sys.argv[1:]
OFFER = ['a', 'b']

async def by_websockets():
    async with websockets.connect(url, subprotocols=OFFER) as connection:
        return connection.subprotocol

async def by_aiohttp():
    async with aiohttp.ClientSession() as session, session.ws_connect(url, protocols=OFFER) as connection:
        return connection.protocol

try:
    if library == 'websocket-client':
        chosen = websocket.create_connection(url, subprotocols=OFFER).subprotocol
    else:
        chosen = asyncio.run(by_websockets() if library == 'websockets' else by_aiohttp())
    print('open', chosen or 'without')
except Exception as error:
    print('failed')
    print(repr(error), file=sys.stderr)
PY
cat >clients.mjs <<'JS'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import faye from 'faye-websocket'
import { WebSocket as Undici } from 'undici'
import w3c from 'websocket'
import { WebSocket, WebSocketServer } from 'ws'

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => false })
await once(server, 'listening')
const url = `ws://127.0.0.1:${server.address().port}`
const seen = { node: process.version, python: execFileSync('venv/bin/python', ['-V'], { encoding: 'utf8' }).trim() }
for (const [name, Client] of Object.entries({ ws: WebSocket, undici: Undici, websocket: w3c.w3cwebsocket, faye: faye.Client }))
  seen[name] = await new Promise((resolve) => {
    const client = new Client(url, ['a', 'b'])
    client.onopen = () => resolve(`open ${client.protocol || 'without'}`)
    client.onerror = () => resolve('failed')
  })
for (const name of ['websocket-client', 'websockets', 'aiohttp']) {
  const { stdout } = spawn('venv/bin/python', ['python.py', name, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  seen[name] = (await text(stdout)).trim()
}
console.log(seen)
const all = (names, what) => names.every((name) => seen[name] === what)
const same = all(['ws', 'undici', 'websocket', 'websocket-client'], 'failed') && all(['faye', 'websockets', 'aiohttp'], 'open without')
process.exit(same ? 0 : 1)
JS
node clients.mjs
