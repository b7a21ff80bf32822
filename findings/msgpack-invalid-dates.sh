#!/usr/bin/env bash
# Guessed: an encoder of MessagePack that writes a Date as a timestamp (extension -1) writes an invalid one as nil, as JSON.stringify writes null, or fails, as
# toISOString does.
# What happens (2026-11-30): 1970-01-01 arrives, as @msgpack/msgpack 3.1.3, notepack.io 3.0.1 and msgpack5 6.1.0 write it. msgpackr 2.1.4 writes a timestamp of
# one byte, a form of its own: msgpack5 reads it, @msgpack/msgpack refuses the message, and notepack.io gives an unknown extension.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true,"type":"module"}' >package.json
npm install --silent --ignore-scripts --no-audit --no-fund -E msgpack5@6.1.0 msgpackr@2.1.4 @msgpack/msgpack@3.1.3 notepack.io@3.0.1
cat >dates.mjs <<'JS'
import { decode, encode } from '@msgpack/msgpack'
import msgpack5 from 'msgpack5'
import { pack, unpack } from 'msgpackr'
import notepack from 'notepack.io'

const five = msgpack5()
const libraries = {
  '@msgpack/msgpack': { encode, decode },
  msgpackr: { encode: pack, decode: unpack },
  'notepack.io': notepack,
  msgpack5: { encode: (value) => five.encode(value).slice(), decode: (bytes) => five.decode(bytes) },
}
const dates = { '2026-11-30': '2026-11-30', invalid: NaN }
const shown = (value) => (value instanceof Date ? (Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString().slice(0, 10)) : JSON.stringify(value))
const seen = {}
for (const [date, time] of Object.entries(dates))
  for (const [library, { encode }] of Object.entries(libraries)) {
    const bytes = Buffer.from(encode(new Date(time)))
    const row = (seen[`${date} by ${library}`] = { bytes: bytes.toString('hex') })
    for (const [reader, { decode }] of Object.entries(libraries))
      try {
        row[reader] = shown(decode(bytes))
      } catch (error) {
        row[reader] = `${error.name}: ${error.message}`
      }
  }
console.log(process.version)
console.table(seen)
const all = (row, what) => Object.keys(libraries).every((reader) => seen[row][reader] === what)
const same =
  Object.keys(libraries).every((library) => all(`2026-11-30 by ${library}`, '2026-11-30')) &&
  ['@msgpack/msgpack', 'notepack.io', 'msgpack5'].every((library) => all(`invalid by ${library}`, '1970-01-01')) &&
  seen['invalid by msgpackr'].bytes === 'd4ffff' &&
  /^\w*Error/.test(seen['invalid by msgpackr']['@msgpack/msgpack']) &&
  seen['invalid by msgpackr']['notepack.io'].startsWith('[-1')
process.exit(same ? 0 : 1)
JS
node dates.mjs
