#!/usr/bin/env bash
# Guessed: a time with milliseconds that is written and read with one CBOR library is that time, and all read the times that all write.
# What happens (2026-11-28): fxamacker/cbor 2.10.0 of Go, with Time: TimeUnixMicro, gives 994 of 1,000 such times back as others, 497 of them in the millisecond
# before: it makes nanoseconds of a float without rounding. cbor2 6.3.0 of Python rounds. cbor-x 1.6.8 cannot read whole seconds from 2106-02-07T06:28:16Z on, as cbor2
# and Go (TimeUnixDynamic) write them: it makes a BigInt of eight bytes and multiplies it with a number. cborg 6.1.5 in its extended form has no tag 0, the date as
# text that Go (TimeRFC3339Nano) and cbor2 write by default.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E cbor-x@1.6.8 cborg@6.1.5
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check cbor2==6.3.0
cat >python.py <<'PY'
import datetime
import cbor2

start = datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc)
times = [start + datetime.timedelta(milliseconds=i) for i in range(1000)]
print("Python, changed:", sum(cbor2.loads(cbor2.dumps(time, datetime_as_timestamp=True)) != time for time in times))
far = datetime.datetime(2106, 2, 7, 6, 28, 16, tzinfo=datetime.timezone.utc)
print("Python, 2106:", cbor2.dumps(far, datetime_as_timestamp=True).hex())
print("Python, by default:", cbor2.dumps(far).hex())
PY
cat >node.mjs <<'JS'
import { decode } from 'cbor-x'
import { decode as extended } from 'cborg/extended'
const read = (how, hex) => {
  try {
    return how(Buffer.from(hex, 'hex')).toISOString()
  } catch (error) {
    return String(error)
  }
}
console.log('cbor-x, 2106:', read(decode, 'c11b0000000100000000'))
console.log('cborg, 2106:', read(extended, 'c11b0000000100000000'))
console.log('cborg, text:', read(extended, 'c074323130362d30322d30375430363a32383a31365a'))
console.log('cbor-x, text:', read(decode, 'c074323130362d30322d30375430363a32383a31365a'))
JS
mkdir go
cat >go/go.mod <<'GO'
module times
go 1.24
require github.com/fxamacker/cbor/v2 v2.10.0
GO
cat >go/main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

func main() {
	micro, _ := cbor.EncOptions{Time: cbor.TimeUnixMicro, TimeTag: cbor.EncTagRequired}.EncMode()
	changed, earlier := 0, 0
	for i := range 1000 {
		given := time.UnixMilli(1700000000000 + int64(i))
		body, _ := micro.Marshal(given)
		var got time.Time
		if err := cbor.Unmarshal(body, &got); err != nil {
			panic(err)
		}
		if !got.Equal(given) {
			changed++
		}
		if got.UnixMilli() < given.UnixMilli() {
			earlier++
		}
	}
	dynamic, _ := cbor.EncOptions{Time: cbor.TimeUnixDynamic, TimeTag: cbor.EncTagRequired}.EncMode()
	body, _ := dynamic.Marshal(time.Unix(1<<32, 0))
	fmt.Printf("Go, changed: %d, in the millisecond before: %d\nGo, 2106: %x\n", changed, earlier, body)
}
GO
{
  venv/bin/python python.py
  node node.mjs
  (cd go && go mod tidy >/dev/null 2>&1 && go run .)
} | tee got
cat >expected <<'TEXT'
Python, changed: 0
Python, 2106: c11b0000000100000000
Python, by default: c074323130362d30322d30375430363a32383a31365a
cbor-x, 2106: TypeError: Cannot mix BigInt and other types, use explicit conversions
cborg, 2106: 2106-02-07T06:28:16.000Z
cborg, text: Error: CBOR decode error: tag not supported (0)
cbor-x, text: 2106-02-07T06:28:16.000Z
Go, changed: 994, in the millisecond before: 497
Go, 2106: c11b0000000100000000
TEXT
diff expected got
