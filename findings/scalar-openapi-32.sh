#!/usr/bin/env bash
# Guessed: a validator that knows OpenAPI 3.2 takes a document that it took as 3.1, once the number is changed: 3.2 only adds to 3.1.
# What happens (@scalar/openapi-parser 0.24.17, 2026-11-29): as 3.2.0 every schema with the keyword `type` is refused, "Property type is not expected to be
# here", with follow-ups about the path and the response around it. A schema without keywords, or `true`, is taken. So no real document of 3.2 validates.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E @scalar/openapi-parser@0.24.17
cat >try.mjs <<'JS'
import { validate } from '@scalar/openapi-parser'

const document = (openapi, schema) => ({
  openapi,
  info: { title: 'shop', version: '1.0.0' },
  paths: { '/price': { get: { responses: { 200: { description: 'a price', content: { 'application/json': { schema } } } } } } },
})
for (const version of ['3.1.0', '3.2.0'])
  for (const schema of [{}, { type: 'number' }]) {
    const { valid, errors = [] } = await validate(document(version, schema))
    const about = errors.some(({ message }) => /type is not expected/.test(message)) ? ' type' : ''
    console.log(`${version} ${JSON.stringify(schema)} ${valid ? 'taken' : `refused${about}`}`)
  }
JS
echo "node $(node --version), @scalar/openapi-parser 0.24.17"
node try.mjs | tee seen
diff seen - <<'END'
3.1.0 {} taken
3.1.0 {"type":"number"} taken
3.2.0 {} taken
3.2.0 {"type":"number"} refused type
END
