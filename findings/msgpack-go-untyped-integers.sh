#!/usr/bin/env bash
# Guessed: an integer that Go reads from MessagePack into an `any` is an int64 (or a float64, as encoding/json has it), so that one type assertion suits a field.
# What happens (2026-11-30): with vmihailenco/msgpack 5.4.1 its type follows the bytes on the wire, and so the value: 1 is an int8, 200 a uint8, 300 a uint16, then
# uint32, uint64, and for negative ones int8, int16, int32, int64. A field that counts up changes its type at 128, 256 and 65,536, and `value.(int64)` holds below
# -2^31 alone. ugorji/go codec 1.3.2 has int64 up to 127 and uint64 from 128 on; fxamacker/cbor 2.10.0 has uint64 for all that are not negative.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E @msgpack/msgpack@3.1.2 cborg@6.1.5
cat >write.mjs <<'JS'
import { encode as packed } from '@msgpack/msgpack'
import { encode as coded } from 'cborg'

const hex = (bytes) => Buffer.from(bytes).toString('hex')
for (const value of [1, 127, 128, 255, 256, 65535, 65536, 2 ** 32, -1, -200, -40000, -3_000_000_000])
  console.log(value, hex(packed(value)), hex(coded(value)))
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

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	for {
		var value, packedHex, codedHex string
		if count, _ := fmt.Scan(&value, &packedHex, &codedHex); count == 0 {
			return
		}
		packed, err := hex.DecodeString(packedHex)
		must(err)
		coded, err := hex.DecodeString(codedHex)
		must(err)
		var first, second, third any
		must(msgpack.Unmarshal(packed, &first))
		must(codec.NewDecoderBytes(packed, new(codec.MsgpackHandle)).Decode(&second))
		must(cbor.Unmarshal(coded, &third))
		fmt.Printf("%s: vmihailenco %T, ugorji %T, fxamacker %T\n", value, first, second, third)
	}
}
GO
(cd go && go mod tidy >/dev/null 2>&1 && go build -o finding .)
node write.mjs | ./go/finding | tee got
cat >expected <<'TEXT'
1: vmihailenco int8, ugorji int64, fxamacker uint64
127: vmihailenco int8, ugorji int64, fxamacker uint64
128: vmihailenco uint8, ugorji uint64, fxamacker uint64
255: vmihailenco uint8, ugorji uint64, fxamacker uint64
256: vmihailenco uint16, ugorji uint64, fxamacker uint64
65535: vmihailenco uint16, ugorji uint64, fxamacker uint64
65536: vmihailenco uint32, ugorji uint64, fxamacker uint64
4294967296: vmihailenco uint64, ugorji uint64, fxamacker uint64
-1: vmihailenco int8, ugorji int64, fxamacker int64
-200: vmihailenco int16, ugorji int64, fxamacker int64
-40000: vmihailenco int32, ugorji int64, fxamacker int64
-3000000000: vmihailenco int64, ugorji int64, fxamacker int64
TEXT
diff expected got
