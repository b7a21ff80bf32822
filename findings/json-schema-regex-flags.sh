#!/usr/bin/env bash
# Guessed: a library that makes JSON Schema of its own schemas says so when it cannot: a pattern there has no flags (JSON Schema Validation 2020-12 §6.3.3), so
# /^eur$/i is either rewritten or refused, as @valibot/to-json-schema refuses it.
# What happens (zod 4.6.7, arktype 2.2.10, 2026-11-29): both leave the flag out without a word, so that a client that validates by the schema refuses 'EUR',
# which the server takes. With `u` all is well, as JSON Schema reads patterns with it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E zod@4.6.7 arktype@2.2.10 valibot@1.5.0 @valibot/to-json-schema@1.8.0 ajv@8.20.0
cat >flags.mjs <<'JS'
import { toJsonSchema } from '@valibot/to-json-schema'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'

const currency = /^eur$/i
const [ofZod, ofArktype, ofValibot] = [z.string().regex(currency), type(currency), v.pipe(v.string(), v.regex(currency))]
const libraries = {
  zod: [(value) => ofZod.safeParse(value).success, () => z.toJSONSchema(ofZod)],
  arktype: [(value) => ofArktype.allows(value), () => ofArktype.toJsonSchema()],
  valibot: [(value) => v.is(ofValibot, value), () => toJsonSchema(ofValibot)],
}
for (const [name, [takes, convert]] of Object.entries(libraries)) {
  let said
  try {
    const schema = convert()
    said = `pattern ${schema.pattern}, ajv takes it: ${new Ajv2020().compile(schema)('EUR')}`
  } catch (error) {
    said = error.message
  }
  console.log(`${name} takes EUR: ${takes('EUR')}; as JSON Schema: ${said}`)
}
JS
node flags.mjs | tee got
cat >expected <<'TEXT'
zod takes EUR: true; as JSON Schema: pattern ^eur$, ajv takes it: false
arktype takes EUR: true; as JSON Schema: pattern ^eur$, ajv takes it: false
valibot takes EUR: true; as JSON Schema: RegExp flags are not supported by JSON Schema.
TEXT
diff expected got
