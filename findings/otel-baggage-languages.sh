#!/usr/bin/env bash
# Guessed: W3C baggage that the propagator of one OpenTelemetry SDK writes is the same baggage in another one.
# What happens (2026-11-30): @opentelemetry/core 2.12.1 of JavaScript percent-encodes keys and decodes them; go.opentelemetry.io/otel 1.47.0 leaves keys as they
# are, so "user id" arrives there as "user%20id", and Go writes no member with such a key at all. opentelemetry-api 1.45.2 of Python encodes as HTML forms do: a
# space leaves as "+", which JavaScript and Go read as a plus sign; and the plus sign that Go writes as it is, which the specification allows, arrives in Python
# as a space.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E @opentelemetry/api@1.9.1 @opentelemetry/core@2.12.1
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check opentelemetry-api==1.45.2
cat >node.mjs <<'JS'
import { defaultTextMapGetter, defaultTextMapSetter, propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import { W3CBaggagePropagator } from '@opentelemetry/core'

const propagator = new W3CBaggagePropagator()
const [, , how, ...rest] = process.argv
if (how === 'write') {
  const carrier = {}
  const entries = { [rest[0]]: { value: rest[1] } }
  propagator.inject(propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage(entries)), carrier, defaultTextMapSetter)
  console.log(carrier.baggage)
} else {
  const context = propagator.extract(ROOT_CONTEXT, { baggage: rest[0] }, defaultTextMapGetter)
  console.log(propagation.getBaggage(context).getAllEntries().map(([key, { value }]) => `${key}|${value}`).join())
}
JS
cat >python.py <<'PY'
import sys
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator

propagator = W3CBaggagePropagator()
how, *rest = sys.argv[1:]
if how == "write":
    carrier = {}
    propagator.inject(carrier, baggage.set_baggage(rest[0], rest[1]))
    print(carrier["baggage"])
else:
    print(",".join(f"{key}|{value}" for key, value in baggage.get_all(propagator.extract({"baggage": rest[0]})).items()))
PY
mkdir go
cat >go/go.mod <<'MOD'
module finding

go 1.25

require go.opentelemetry.io/otel v1.47.0
MOD
cat >go/main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	if os.Args[1] == "write" {
		member, err := baggage.NewMemberRaw(os.Args[2], os.Args[3])
		must(err)
		all, err := baggage.New(member)
		must(err)
		fmt.Println(all.String())
		return
	}
	ctx := propagation.Baggage{}.Extract(context.Background(), propagation.MapCarrier{"baggage": os.Args[2]})
	for _, member := range baggage.FromContext(ctx).Members() {
		fmt.Println(member.Key() + "|" + member.Value())
	}
}
GO
(cd go && go mod tidy >/dev/null 2>&1 && go build -o finding .)
for member in 'tenant|a b' 'tenant|a+b' 'user id|x'; do
  for writer in 'node node.mjs' 'venv/bin/python python.py' ./go/finding; do
    written=$($writer write "${member%|*}" "${member#*|}")
    if [ -z "$written" ]; then
      echo "$member by $writer: nothing"
      continue
    fi
    echo "$member by $writer: $written"
    for reader in 'node node.mjs' 'venv/bin/python python.py' ./go/finding; do
      read=$($reader read "$written")
      [ "$read" = "$member" ] || echo "  read by $reader: $read"
    done
  done
done | tee got
cat >expected <<'TEXT'
tenant|a b by node node.mjs: tenant=a%20b
tenant|a b by venv/bin/python python.py: tenant=a+b
  read by node node.mjs: tenant|a+b
  read by ./go/finding: tenant|a+b
tenant|a b by ./go/finding: tenant=a%20b
tenant|a+b by node node.mjs: tenant=a%2Bb
tenant|a+b by venv/bin/python python.py: tenant=a%2Bb
tenant|a+b by ./go/finding: tenant=a+b
  read by venv/bin/python python.py: tenant|a b
user id|x by node node.mjs: user%20id=x
  read by ./go/finding: user%20id|x
user id|x by venv/bin/python python.py: user+id=x
  read by node node.mjs: user+id|x
  read by ./go/finding: user+id|x
user id|x by ./go/finding: nothing
TEXT
diff expected got
