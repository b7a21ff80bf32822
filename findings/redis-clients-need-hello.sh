#!/usr/bin/env bash
# Guessed: redis clients that ask for RESP3 with HELLO 3 fall back to RESP2 when the server does not know the command, as servers before redis 6 do not.
# What happens (2026-11-28): of the newest majors with default options, redis-py 8.1.0 and node-redis 6.3.1 do not connect at all; go-redis 9.23.0 and ioredis 6.0.0
# do. With RESP2 asked for, the first two connect. The server is redis itself, with HELLO taken away. Needs redis-server.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $server; chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
redis-server --port 0 --unixsocket "$work/s" --save '' --rename-command HELLO '' >log &
server=$!
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E ioredis@6.0.0 redis@6.3.1
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check redis==8.1.0
cat >python.py <<'PY'
import sys
import redis

for options in [{}, {"protocol": 2}]:
    try:
        said = redis.Redis(unix_socket_path=sys.argv[1], **options).ping()
    except redis.RedisError as error:
        said = type(error).__name__ + ": " + str(error).split(",")[0]
    print("redis-py", options, said)
PY
cat >node.mjs <<'JS'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
const path = process.argv[2]
const ioredis = new Redis(path)
console.log('ioredis', await ioredis.ping())
ioredis.disconnect()
for (const options of [{}, { RESP: 2 }]) {
  const client = createClient({ socket: { path, reconnectStrategy: false }, ...options })
  client.on('error', () => {})
  const said = await client.connect().then(
    () => client.ping(),
    (error) => `${error.name}: ${error.message.split(',')[0]}`,
  )
  console.log('node-redis', JSON.stringify(options), said)
  client.destroy()
}
JS
mkdir go
cat >go/go.mod <<'GO'
module ping
go 1.24
require github.com/redis/go-redis/v9 v9.23.0
GO
cat >go/main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/redis/go-redis/v9"
)

func main() {
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: os.Args[1]})
	said, err := client.Ping(context.Background()).Result()
	fmt.Println("go-redis", said, err)
}
GO
redis-server --version
{
  venv/bin/python python.py "$work/s"
  timeout 30 node node.mjs "$work/s"
  (cd go && go mod tidy >/dev/null 2>&1 && go run . "$work/s")
} 2>&1 | tee got
cat >expected <<'TEXT'
redis-py {} ResponseError: unknown command 'HELLO'
redis-py {'protocol': 2} True
ioredis PONG
node-redis {} Error: ERR unknown command 'HELLO'
node-redis {"RESP":2} PONG
go-redis PONG <nil>
TEXT
diff expected got
