#!/usr/bin/env bash
# Guessed: a JSON-RPC 2.0 request with `"id": null` is answered, with that id: a notification is one "without an id member" (§4.1), and an id may be null (§4),
# though the specification advises against it.
# What happens (jayson 5.0.0, 2026-11-29): it runs the method and sends no answer, so that the caller waits; in a batch the answer is missing. json-rpc-2.0
# 1.8.1 and jsonrpcserver 5.0.9 of Python answer with id null.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E jayson@5.0.0 json-rpc-2.0@1.8.1
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check jsonrpcserver==5.0.9
cat >requests <<'TEXT'
{"jsonrpc":"2.0","method":"add","params":[1,2],"id":7}
{"jsonrpc":"2.0","method":"add","params":[1,2],"id":null}
{"jsonrpc":"2.0","method":"add","params":[1,2]}
[{"jsonrpc":"2.0","method":"add","params":[1,2],"id":7},{"jsonrpc":"2.0","method":"add","params":[3,4],"id":null}]
TEXT
cat >serve.mjs <<'JS'
import { readFileSync } from 'node:fs'
import jayson from 'jayson'
import { JSONRPCServer } from 'json-rpc-2.0'

let ran = 0
const add = ([a, b]) => {
  ran++
  return a + b
}
const one = new jayson.Server({ add: (numbers, done) => done(null, add(numbers)) })
const other = new JSONRPCServer()
other.addMethod('add', add)
for (const text of readFileSync('requests', 'utf8').trim().split('\n')) {
  ran = 0
  const said = await new Promise((resolve) => one.call(text, (error, answer) => resolve(error ?? answer)))
  console.log(`jayson ran ${ran}:`, JSON.stringify(said) ?? 'nothing')
  console.log('json-rpc-2.0:', JSON.stringify((await other.receiveJSON(text)) ?? 'nothing'))
}
JS
cat >serve.py <<'PY'
from jsonrpcserver import Success, dispatch, method


@method
def add(a, b):
    return Success(a + b)


for text in open("requests"):
    print("jsonrpcserver:", dispatch(text) or "nothing")
PY
{
  node serve.mjs
  venv/bin/python serve.py
} | tee got
cat >expected <<'TEXT'
jayson ran 1: {"jsonrpc":"2.0","id":7,"result":3}
json-rpc-2.0: {"jsonrpc":"2.0","id":7,"result":3}
jayson ran 1: nothing
json-rpc-2.0: {"jsonrpc":"2.0","id":null,"result":3}
jayson ran 1: nothing
json-rpc-2.0: "nothing"
jayson ran 2: [{"jsonrpc":"2.0","id":7,"result":3}]
json-rpc-2.0: [{"jsonrpc":"2.0","id":7,"result":3},{"jsonrpc":"2.0","id":null,"result":7}]
jsonrpcserver: {"jsonrpc": "2.0", "result": 3, "id": 7}
jsonrpcserver: {"jsonrpc": "2.0", "result": 3, "id": null}
jsonrpcserver: nothing
jsonrpcserver: [{"jsonrpc": "2.0", "result": 3, "id": 7}, {"jsonrpc": "2.0", "result": 7, "id": null}]
TEXT
diff expected got
