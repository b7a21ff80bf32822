#!/usr/bin/env bash
# Guessed: text that Go's encoding/xml writes reads as the same text in fast-xml-parser, and what its builder writes reads as the same in other parsers.
# What happens (fast-xml-parser 5.12.1, Go's encoding/xml, 2026-11-29): Go writes each quote and apostrophe as a numeric reference (&#39;), which every XML
# parser must resolve (XML 1.0 §4.1); fast-xml-parser leaves numeric references as they are unless it is told `htmlEntities`. Its builder leaves CR in text and
# line ends and tabs in attributes bare, so that other parsers make LF and spaces of them (§2.11, §3.3.3), as expat of Python shows; Go writes references there.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E fast-xml-parser@5.12.1
cat >main.go <<'GO'
package main

import (
	"encoding/xml"
	"os"
)

type call struct {
	Note string `xml:"note,attr"`
	Text string `xml:",chardata"`
}

func main() {
	body, err := xml.Marshal(call{Note: "one\ntwo\tthree", Text: "it's \"so\"\r\n"})
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(body)
}
GO
cat >read.mjs <<'JS'
import { readFileSync, writeFileSync } from 'node:fs'
import { XMLBuilder, XMLParser } from 'fast-xml-parser'

const options = { ignoreAttributes: false, trimValues: false }
const body = readFileSync('go.xml', 'utf8')
console.log('Go wrote:', body)
for (const htmlEntities of [false, true]) console.log(`read with htmlEntities ${htmlEntities}:`, JSON.stringify(new XMLParser({ ...options, htmlEntities }).parse(body).call))
const built = new XMLBuilder(options).build({ call: { '@_note': 'one\ntwo\tthree', '#text': 'it\'s "so"\r\n' } })
console.log('built:', JSON.stringify(built))
writeFileSync('js.xml', built)
JS
cat >read.py <<'PY'
import xml.etree.ElementTree as tree

for name in ["go.xml", "js.xml"]:
    call = tree.parse(name).getroot()
    print("Python", name, ascii([call.get("note"), call.text]))
PY
go version
go run main.go >go.xml
{
  node read.mjs
  python3 read.py
} | tee got
cat >expected <<'TEXT'
Go wrote: <call note="one&#xA;two&#x9;three">it&#39;s &#34;so&#34;&#xD;&#xA;</call>
read with htmlEntities false: {"#text":"it&#39;s &#34;so&#34;&#xD;&#xA;","@_note":"one&#xA;two&#x9;three"}
read with htmlEntities true: {"#text":"it's \"so\"\r\n","@_note":"one\ntwo\tthree"}
built: "<call note=\"one\ntwo\tthree\">it&apos;s &quot;so&quot;\r\n</call>"
Python go.xml ['one\ntwo\tthree', 'it\'s "so"\r\n']
Python js.xml ['one two three', 'it\'s "so"\n']
TEXT
diff expected got
