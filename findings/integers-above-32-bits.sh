#!/usr/bin/env bash
# Guessed: a whole number, such as a time in milliseconds, that the most used packages for MessagePack and CBOR of Node.js write is an integer on the wire, which
# the most used packages of Go read into an int64.
# What happens (2026-11-30): msgpackr 2.1.4 and cbor-x 1.6.9 write each integer that does not fit in 32 bits as a float64. vmihailenco/msgpack 5.4.1 and
# fxamacker/cbor 2.10.0 refuse it for an int64 ("invalid code=cb decoding int64", "cannot unmarshal primitives"); ugorji/go codec 1.3.2 takes both. The same fields
# work as long as their values are small. @msgpack/msgpack 3.1.2 and cborg 6.1.5 write integers.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E msgpackr@2.1.4 @msgpack/msgpack@3.1.2 cbor-x@1.6.9 cborg@6.1.5
cat >write.mjs <<'JS'
import { encode as encodeMsgpack } from '@msgpack/msgpack'
import { encode as encodeCborX } from 'cbor-x'
import { encode as encodeCborg } from 'cborg'
import { Packr } from 'msgpackr'

const packr = new Packr({ useRecords: false })
const writers = {
  msgpackr: (value) => packr.pack(value),
  '@msgpack/msgpack': encodeMsgpack,
  'cbor-x': encodeCborX,
  cborg: encodeCborg,
}
for (const [name, write] of Object.entries(writers))
  for (const at of [4294967295, 4294967296, 1732845600123])
    console.log(`${name}, ${at}: ${Buffer.from(write({ at })).toString('hex').split('6174')[1]}`)
JS
mkdir go
cat >go/go.mod <<'MOD'
module finding

go 1.23

require (
	github.com/fxamacker/cbor/v2 v2.10.0
	github.com/ugorji/go/codec v1.3.2
	github.com/vmihailenco/msgpack/v5 v5.4.1
)
MOD
cat >go/main.go <<'GO'
package main

import (
	"encoding/hex"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/ugorji/go/codec"
	"github.com/vmihailenco/msgpack/v5"
)

type event struct {
	At int64 `msgpack:"at" cbor:"at" codec:"at"`
}

func main() {
	packed, _ := hex.DecodeString("81a26174" + "cb4279375a57d7b000")
	coded, _ := hex.DecodeString("a1626174" + "fb4279375a57d7b000")
	var got event
	fmt.Println("vmihailenco:", msgpack.Unmarshal(packed, &got), got.At)
	got = event{}
	fmt.Println("fxamacker:", cbor.Unmarshal(coded, &got), got.At)
	got = event{}
	fmt.Println("ugorji, msgpack:", codec.NewDecoderBytes(packed, new(codec.MsgpackHandle)).Decode(&got), got.At)
	got = event{}
	fmt.Println("ugorji, cbor:", codec.NewDecoderBytes(coded, new(codec.CborHandle)).Decode(&got), got.At)
}
GO
{
  node write.mjs
  (cd go && go mod tidy >/dev/null 2>&1 && go run .)
} | tee got
cat >expected <<'TEXT'
msgpackr, 4294967295: ceffffffff
msgpackr, 4294967296: cb41f0000000000000
msgpackr, 1732845600123: cb4279375a57d7b000
@msgpack/msgpack, 4294967295: ceffffffff
@msgpack/msgpack, 4294967296: cf0000000100000000
@msgpack/msgpack, 1732845600123: cf0000019375a57d7b
cbor-x, 4294967295: 1affffffff
cbor-x, 4294967296: fb41f0000000000000
cbor-x, 1732845600123: fb4279375a57d7b000
cborg, 4294967295: 1affffffff
cborg, 4294967296: 1b0000000100000000
cborg, 1732845600123: 1b0000019375a57d7b
vmihailenco: msgpack: invalid code=cb decoding int64 0
fxamacker: cbor: cannot unmarshal primitives into Go struct field main.event.at of type int64 0
ugorji, msgpack: <nil> 1732845600123
ugorji, cbor: <nil> 1732845600123
TEXT
diff expected got
