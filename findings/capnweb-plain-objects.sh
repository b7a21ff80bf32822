#!/usr/bin/env bash
# Guessed: what JSON can say can be an argument of a call of Cap'n Web, whose messages are JSON: so also an object without a prototype, as
# `querystring.parse` and the named groups of a RegExp are, and as JSON.stringify, structuredClone, msgpackr and @msgpack/msgpack take it.
# What happens (capnweb 0.12.0, 2026-11-30): the call throws a TypeError, "Cannot serialize value", and at once, where the promise that it would return
# could reject. The same members in an object literal pass.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true,"type":"module"}' >package.json
npm install --silent --ignore-scripts --no-audit --no-fund -E capnweb@0.12.0 msgpackr@2.1.4 @msgpack/msgpack@3.1.3
cat >calls.mjs <<'JS'
import { parse } from 'node:querystring'
import { decode, encode } from '@msgpack/msgpack'
import { newMessagePortRpcSession, RpcTarget } from 'capnweb'
import { pack, unpack } from 'msgpackr'

class Echo extends RpcTarget {
  echo(value) {
    return value
  }
}
const { port1, port2 } = new MessageChannel()
newMessagePortRpcSession(port1, new Echo())
const peer = newMessagePortRpcSession(port2)
const others = {
  JSON: (value) => JSON.parse(JSON.stringify(value)),
  structuredClone,
  msgpackr: (value) => unpack(pack(value)),
  '@msgpack/msgpack': (value) => decode(encode(value)),
}
const query = parse('a=1')
const groups = /(?<a>1)/.exec('1').groups
const seen = { node: process.version }
for (const [name, value] of Object.entries({ literal: { a: '1' }, query, groups })) {
  try {
    const answer = peer.echo(value)
    seen[name] = await answer.then((back) => back.a, () => 'rejected')
  } catch (error) {
    seen[name] = `thrown ${error.name}: ${error.message.slice(0, 22)}`
  }
  for (const [other, copy] of Object.entries(others)) seen[`${name} by ${other}`] = copy(value).a
}
console.log(seen)
const taken = Object.entries(seen).filter(([name]) => name.includes(' by ')).every(([, value]) => value === '1')
const refused = 'thrown TypeError: Cannot serialize value'
process.exit(seen.literal === '1' && seen.query === refused && seen.groups === refused && taken ? 0 : 1)
JS
node calls.mjs
