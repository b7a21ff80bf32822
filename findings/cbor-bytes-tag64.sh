#!/usr/bin/env bash
# Guessed: bytes written with one CBOR library are bytes in another.
# What happens: cbor-x 1.6.8 and cborg 6.1.5 in its extended form write a Uint8Array as tag 64 (a typed array of RFC 8746), though cbor-x writes a Buffer and cborg
# in its plain form writes both as plain bytes. cbor2 6.3.0 of Python and fxamacker/cbor 2.10.0 of Go give their users a tag with a number, not bytes; Go gives
# bytes only where the field's type says so. 2026-11-28
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E cbor-x@1.6.8 cborg@6.1.5
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check cbor2==6.3.0
cat >write.mjs <<'JS'
import { encode } from 'cbor-x'
import { encode as plain } from 'cborg'
import { encode as extended } from 'cborg/extended'
const bytes = new Uint8Array([1, 2])
const forms = { 'cbor-x, Uint8Array': encode(bytes), 'cbor-x, Buffer': encode(Buffer.from(bytes)), 'cborg, plain': plain(bytes), 'cborg, extended': extended(bytes) }
for (const [name, body] of Object.entries(forms)) console.log(`${name}: ${Buffer.from(body).toString('hex')}`)
JS
mkdir go
cat >go/go.mod <<'GO'
module read
go 1.24
require github.com/fxamacker/cbor/v2 v2.10.0
GO
cat >go/main.go <<'GO'
package main

import (
	"fmt"
	"github.com/fxamacker/cbor/v2"
)

func main() {
	body := []byte{0xd8, 0x40, 0x42, 1, 2}
	var untyped any
	var typed []byte
	fmt.Println(cbor.Unmarshal(body, &untyped), cbor.Unmarshal(body, &typed))
	fmt.Printf("Go, untyped: %T; into bytes: %v\n", untyped, typed)
}
GO
{
  node write.mjs
  venv/bin/python -c 'import cbor2; print("Python:", repr(cbor2.loads(bytes.fromhex("d840420102"))))'
  (cd go && go mod tidy >/dev/null 2>&1 && go run .)
} | tee got
cat >expected <<'TEXT'
cbor-x, Uint8Array: d840420102
cbor-x, Buffer: 420102
cborg, plain: 420102
cborg, extended: d840420102
Python: CBORTag(64, b'\x01\x02')
<nil> <nil>
Go, untyped: cbor.Tag; into bytes: [1 2]
TEXT
diff expected got
