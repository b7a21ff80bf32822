#!/bin/sh
# Guessed: MessagePack has no undefined, so encoders for JavaScript write nil for it, or leave the member out, as @msgpack/msgpack does (nil).
# What happens: msgpackr writes an application's extension, type 0 with one byte 0 (d4 00 00), also for a member of an object, unless it is told
# encodeUndefinedAsNil. Readers that do not know it see an extension: @msgpack/msgpack gives an ExtData, strict ones refuse the body.
# msgpackr 1.11.5, @msgpack/msgpack 3.1.3, 2026-11-28.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private":true,"type":"module"}' > package.json
npm i --silent --no-audit --no-fund --ignore-scripts msgpackr@1.11.5 @msgpack/msgpack@3.1.3
node --input-type=module -e "
import { Packr, pack } from 'msgpackr'
import { decode, encode } from '@msgpack/msgpack'
const value = { a: undefined }
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const seen = { '@msgpack/msgpack': hex(encode(value)), msgpackr: hex(pack(value)), nil: hex(new Packr({ encodeUndefinedAsNil: true }).pack(value)) }
const { a } = decode(pack(value))
console.log(process.version, seen, a)
const same = seen['@msgpack/msgpack'] === '81a161c0' && seen.msgpackr.endsWith('a161d40000') && seen.nil.endsWith('a161c0') && a?.type === 0
process.exit(same ? 0 : 1)
"
