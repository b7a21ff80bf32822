#!/usr/bin/env bash
# Guessed: a client of WebSocket tells its application the code that the server closed with, if IANA has registered it: 1012 "Service Restart", 1013 "Try Again
# Later" and 1014 "Bad Gateway" are, since 2012 to 2016.
# What happens (2026-11-30): faye-websocket 0.11.4 reports 1002 for all three, as if the server had broken the protocol. gobwas/ws 1.5.0 (wsutil) of Go fails with
# "status code is not defined in spec", and answers by a frame without a mask, which the server must refuse. gorilla/websocket 1.5.3 knows the first two and
# fails with "bad close code 1014". ws 8.23.0, undici 7.16.0, websocket 1.0.35 and coder/websocket 1.8.15 tell the code.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E ws@8.23.0 undici@7.16.0 websocket@1.0.35 faye-websocket@0.11.4
mkdir go
cat >go/go.mod <<'MOD'
module finding

go 1.23

require (
	github.com/coder/websocket v1.8.15
	github.com/gobwas/ws v1.5.0
	github.com/gorilla/websocket v1.5.3
)
MOD
cat >go/main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	coder "github.com/coder/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/gorilla/websocket"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	url, code := os.Args[1], []byte(os.Args[2])
	ctx := context.Background()
	first, _, err := websocket.DefaultDialer.Dial(url, nil)
	must(err)
	must(first.WriteMessage(websocket.TextMessage, code))
	_, _, err = first.ReadMessage()
	fmt.Println("gorilla/websocket:", err)
	second, _, err := coder.Dial(ctx, url, nil)
	must(err)
	must(second.Write(ctx, coder.MessageText, code))
	_, _, err = second.Read(ctx)
	fmt.Println("coder/websocket:", coder.CloseStatus(err))
	third, _, _, err := ws.Dial(ctx, url)
	must(err)
	must(wsutil.WriteClientText(third, code))
	_, _, err = wsutil.ReadServerData(third)
	fmt.Println("gobwas/ws:", err)
}
GO
cat >node.mjs <<'JS'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { WebSocket as Undici } from 'undici'
import { WebSocket, WebSocketServer } from 'ws'

const require = createRequire(import.meta.url)
const { client: Theturtle32 } = require('websocket')
const { Client: Faye } = require('faye-websocket')

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
await once(server, 'listening')
let refused = ''
let closed
server.on('connection', (socket) => {
  closed = new Promise((resolve) => socket.on('close', resolve))
  socket.on('error', (error) => (refused = error.message))
  socket.on('message', (code) => socket.close(Number(code)))
})
const url = `ws://127.0.0.1:${server.address().port}`
/** The code that a client with the interface of browsers gets. */
const told = (client, code) =>
  new Promise((resolve) => {
    client.onopen = () => client.send(`${code}`)
    client.onclose = (event) => resolve(event.code)
  })
const toldOther = (code) =>
  new Promise((resolve) => {
    const client = new Theturtle32()
    client.on('connect', (connection) => {
      connection.on('close', resolve)
      connection.send(`${code}`)
    })
    client.connect(url)
  })
for (const code of [1011, 1012, 1013, 1014]) {
  const codes = [await told(new WebSocket(url), code), await told(new Undici(url), code), await toldOther(code), await told(new Faye(url), code)]
  console.log(`${code}: ws ${codes[0]}, undici ${codes[1]}, websocket ${codes[2]}, faye-websocket ${codes[3]}`)
  refused = ''
  const { stdout } = await promisify(execFile)('./go/finding', [url, `${code}`])
  await closed
  console.log(stdout.trimEnd())
  if (refused !== '') console.log(`the server of gobwas/ws: ${refused}`)
}
process.exit()
JS
(cd go && go mod tidy >/dev/null 2>&1 && go build -o finding .)
node node.mjs | tee got
cat >expected <<'TEXT'
1011: ws 1011, undici 1011, websocket 1011, faye-websocket 1011
gorilla/websocket: websocket: close 1011 (internal server error)
coder/websocket: StatusInternalError
gobwas/ws: ws closed: 1011
1012: ws 1012, undici 1012, websocket 1012, faye-websocket 1002
gorilla/websocket: websocket: close 1012
coder/websocket: StatusServiceRestart
gobwas/ws: status code is not defined in spec
the server of gobwas/ws: Invalid WebSocket frame: MASK must be set
1013: ws 1013, undici 1013, websocket 1013, faye-websocket 1002
gorilla/websocket: websocket: close 1013
coder/websocket: StatusTryAgainLater
gobwas/ws: status code is not defined in spec
the server of gobwas/ws: Invalid WebSocket frame: MASK must be set
1014: ws 1014, undici 1014, websocket 1014, faye-websocket 1002
gorilla/websocket: websocket: bad close code 1014
coder/websocket: StatusBadGateway
gobwas/ws: status code is not defined in spec
the server of gobwas/ws: Invalid WebSocket frame: MASK must be set
TEXT
diff expected got
