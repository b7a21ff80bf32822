#!/usr/bin/env bash
# Guessed: dns-packet, which knows of multicast DNS (`flush` of an answer is its class's top bit), decodes a question that asks for a unicast answer (RFC 6762
# §5.4: the top bit of its class) to class IN with a flag, and encodes it back.
# What happens (dns-packet 5.6.1, 2026-11-29): the class is the text 'UNKNOWN_32769', so that whoever compares it with 'IN' ignores the question, and what was decoded is
# encoded as class 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E dns-packet@5.6.1
cat >question.mjs <<'JS'
import packet from 'dns-packet'
const asked = packet.encode({ type: 'query', questions: [{ name: '_http._tcp.local', type: 'PTR', class: 'IN' }] })
asked.writeUInt16BE(0x8001, asked.length - 2) // the last two bytes are the class
const decoded = packet.decode(asked)
console.log('question:', decoded.questions[0].class)
const answer = { type: 'A', name: 'host.local', class: 'IN', flush: true, data: '192.0.2.1' }
const { class: name, flush } = packet.decode(packet.encode({ type: 'response', answers: [answer] })).answers[0]
console.log('answer:', name, 'flush', flush)
const again = packet.encode(decoded)
console.log('again: class', again.readUInt16BE(again.length - 2).toString(16), 'of', asked.readUInt16BE(asked.length - 2).toString(16))
JS
node question.mjs | tee got
cat >expected <<'TEXT'
question: UNKNOWN_32769
answer: IN flush true
again: class 0 of 8001
TEXT
diff expected got
