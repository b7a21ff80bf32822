#!/usr/bin/env bash
# Guessed: bonjour-service gives the TXT record of a service as RFC 6763 §6.4 says: `key` alone is present without a value, `key=` has an empty one, and of two
# strings with the same key the first counts. So zeroconf of Python has it.
# What happens (bonjour-service 1.4.4, zeroconf 0.154.0, 2026-11-29): the last of two counts, `key=` becomes a key that is named 'key=', a key of one letter
# without a value is lost, a value is cut at its first line end, and a value of `true` is announced as the text "true", not as the key alone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E bonjour-service@1.4.4
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check zeroconf==0.154.0
cat >txt.mjs <<'JS'
import txt from 'bonjour-service/dist/lib/dns-txt.js'

const records = [['node=a', 'node=b'], ['zone='], ['tls'], ['t'], ['note=one\ntwo'], ['q=x=y']]
const { DnsTxt } = txt
for (const strings of records) {
  const seen = Object.entries(new DnsTxt().decodeAll(strings.map((text) => Buffer.from(text))))
  console.log('bonjour-service', JSON.stringify(strings), JSON.stringify(seen.map(([key, value]) => [key, value ?? null])))
}
console.log('announced', String(new DnsTxt().encode({ tls: true })))
JS
cat >txt.py <<'PY'
import json
from zeroconf import ServiceInfo

for strings in [["node=a", "node=b"], ["zone="], ["tls"], ["t"], ["note=one\ntwo"], ["q=x=y"]]:
    record = b"".join(bytes([len(text)]) + text.encode() for text in strings)
    seen = ServiceInfo("_http._tcp.local.", "shop._http._tcp.local.", properties=record).decoded_properties
    print("zeroconf", json.dumps(strings, separators=(",", ":")), json.dumps([list(pair) for pair in seen.items()], separators=(",", ":")))
PY
{
  node txt.mjs
  venv/bin/python txt.py
} | tee got
cat >expected <<'TEXT'
bonjour-service ["node=a","node=b"] [["node","b"]]
bonjour-service ["zone="] [["zone=",null]]
bonjour-service ["tls"] [["tls",null]]
bonjour-service ["t"] []
bonjour-service ["note=one\ntwo"] [["note","one"]]
bonjour-service ["q=x=y"] [["q","x=y"]]
announced tls=true
zeroconf ["node=a","node=b"] [["node","a"]]
zeroconf ["zone="] [["zone",""]]
zeroconf ["tls"] [["tls",null]]
zeroconf ["t"] [["t",null]]
zeroconf ["note=one\ntwo"] [["note","one\ntwo"]]
zeroconf ["q=x=y"] [["q","x=y"]]
TEXT
diff expected got
