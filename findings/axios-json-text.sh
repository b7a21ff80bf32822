#!/usr/bin/env bash
# Guessed: axios sends a body that is text as it is, since it serializes objects only.
# What happens (axios 1.21.1, 2026-11-28): with Content-Type application/json, text that is no JSON is sent as a JSON string, so that a server which ought to refuse
# `{` gets "{" and answers 200. Text that is JSON is sent as it is but for white space around it; `NaN` in it makes it a string too. fetch sends all of
# them as they are.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E axios@1.21.1
cat >send.mjs <<'JS'
import { createServer } from 'node:http'
import axios from 'axios'
const server = createServer(async (request, response) => {
  let body = ''
  for await (const part of request) body += part
  response.end(body)
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}`
const headers = { 'Content-Type': 'application/json' }
for (const body of ['{', '{"a":1}', '{"a":NaN}', ' [1] ']) {
  const options = { headers, responseType: 'text', transformResponse: (text) => text }
  const { data } = await axios.post(url, body, options)
  const fetched = await (await fetch(url, { method: 'POST', headers, body })).text()
  console.log(`given '${body}' axios '${data}' fetch '${fetched}'`)
}
server.close()
JS
node send.mjs | tee got
cat >expected <<'TEXT'
given '{' axios '"{"' fetch '{'
given '{"a":1}' axios '{"a":1}' fetch '{"a":1}'
given '{"a":NaN}' axios '"{\"a\":NaN}"' fetch '{"a":NaN}'
given ' [1] ' axios '[1]' fetch ' [1] '
TEXT
diff expected got
