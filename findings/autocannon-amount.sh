#!/usr/bin/env bash
# Guessed: autocannon with `amount: 4000` reports 4,000 answers when none fails.
# What happens (autocannon 9.0.0, 2026-11-28): with 20 connections and 8 requests in flight on each it sends 4,000, all are served, and it reports 3,860, which is
# 7 fewer for each connection, and no error. With 1 in flight it reports 4,000.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E autocannon@9.0.0
cat >load.mjs <<'JS'
import { createServer } from 'node:http'
import autocannon from 'autocannon'
let served = 0
const server = createServer((_request, response) => {
  served++
  response.end('ok')
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
for (const pipelining of [1, 8]) {
  served = 0
  const result = await autocannon({ url: `http://127.0.0.1:${server.address().port}`, connections: 20, pipelining, amount: 4000 })
  console.log(`pipelining ${pipelining}: ${result['2xx']} answers, ${result.errors} errors, ${result.non2xx} others, ${result.requests.sent} sent, ${served >= 4000 ? 'all' : served} served`)
}
server.close()
server.closeAllConnections()
JS
node load.mjs | tee got
cat >expected <<'TEXT'
pipelining 1: 4000 answers, 0 errors, 0 others, 4000 sent, all served
pipelining 8: 3860 answers, 0 errors, 0 others, 4000 sent, all served
TEXT
diff expected got
