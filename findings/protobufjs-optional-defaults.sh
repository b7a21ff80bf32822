#!/usr/bin/env bash
# Guessed: a proto3 `optional` field that is absent reads the same whatever its type; protobufjs reads null for an int32, so null it is.
# What happens (protobufjs 8.8.1, 2026-11-29): absent `optional` int32, bool, string and bytes read as null, but an absent `optional` enum reads as 0 and an
# absent `optional` int64 as a Long of 0, as do absent members of a oneof with their zero values. Presence shows in hasOwnProperty alone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E protobufjs@8.8.1 long@5.3.2
cat >try.mjs <<'JS'
import protobuf from 'protobufjs'

const { root } = protobuf.parse(`syntax = "proto3"; package p; enum E { ZERO = 0; }
message M { optional int32 number = 1; optional bool flag = 2; optional string text = 3; optional bytes data = 4; optional E choice = 5;
  optional int64 long = 6; oneof one { int32 member = 7; } }`)
const M = root.resolveAll().lookupType('p.M')
const empty = M.decode(new Uint8Array())
for (const { name } of M.fieldsArray) console.log(`${name} ${empty[name]} ${Object.hasOwn(empty, name) ? 'own' : 'inherited'}`)
JS
echo "node $(node --version), protobufjs 8.8.1"
node try.mjs | tee seen
diff seen - <<'END'
number null inherited
flag null inherited
text null inherited
data null inherited
choice 0 inherited
long 0 inherited
member 0 inherited
END
