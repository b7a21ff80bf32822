#!/usr/bin/env bash
# Guessed: who found a service named "Dr. Who" can ask for it: RFC 6763 §4.1.1 lets the first label of an instance's name hold dots, and in a packet a label has
# its length, so that a dot in it is nothing special (RFC 1035 §3.1).
# What happens (dns-packet 5.6.1, below multicast-dns and bonjour-service; zeroconf 0.154.0 of Python, 2026-11-29): both read the label to text without escaping
# its dot (§4.3 tells to) and cut the text at every dot when they write it. So each asks for "Dr" followed by " Who", whose five labels no responder has, and
# both announce their own services with dots so. An escaped dot is cut as well. They agree with each other, not with the standard.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E dns-packet@5.6.1
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check zeroconf==0.154.0
cat >ask.mjs <<'JS'
import packet from 'dns-packet'

const label = (text) => Buffer.from([text.length, ...Buffer.from(text)])
const labels = (bytes) => {
  const found = []
  for (let at = 12; bytes[at] > 0; at += bytes[at] + 1) found.push(bytes.toString('utf8', at + 1, at + 1 + bytes[at]))
  return JSON.stringify(found)
}
const name = Buffer.concat([...['Dr. Who', '_http', '_tcp', 'local'].map(label), Buffer.alloc(1)])
const asked = Buffer.concat([Buffer.from('000000000001000000000000', 'hex'), name, Buffer.from('00210001', 'hex')])
console.log('on the wire:', labels(asked))
const read = packet.decode(asked).questions[0].name
console.log('dns-packet reads', read, 'and asks for', labels(packet.encode({ type: 'query', questions: [{ type: 'SRV', name: read }] })))
console.log('dns-packet, escaped:', labels(packet.encode({ type: 'query', questions: [{ type: 'SRV', name: read.replace('.', '\\.') }] })))
console.log(asked.toString('hex'))
JS
cat >ask.py <<'PY'
import json
import sys
from zeroconf import DNSIncoming, DNSOutgoing, DNSQuestion


def labels(packet):
    found, at = [], 12
    while packet[at]:
        found.append(packet[at + 1 : at + 1 + packet[at]].decode())
        at += packet[at] + 1
    return json.dumps(found, separators=(",", ":"))


def ask(name):
    message = DNSOutgoing(0)
    message.add_question(DNSQuestion(name, 33, 1))
    return labels(message.packets()[0])


*said, asked = sys.stdin.read().splitlines()
print("\n".join(said))
read = DNSIncoming(bytes.fromhex(asked)).questions[0].name
print("zeroconf reads", read, "and asks for", ask(read))
print("zeroconf, escaped:", ask(read.replace(".", "\\.", 1)))
PY
node ask.mjs | venv/bin/python ask.py | tee got
cat >expected <<'TEXT'
on the wire: ["Dr. Who","_http","_tcp","local"]
dns-packet reads Dr. Who._http._tcp.local and asks for ["Dr"," Who","_http","_tcp","local"]
dns-packet, escaped: ["Dr\\"," Who","_http","_tcp","local"]
zeroconf reads Dr. Who._http._tcp.local. and asks for ["Dr"," Who","_http","_tcp","local"]
zeroconf, escaped: ["Dr\\"," Who","_http","_tcp","local"]
TEXT
diff expected got
