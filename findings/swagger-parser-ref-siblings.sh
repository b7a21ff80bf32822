#!/usr/bin/env bash
# Guessed: dereferencing a document of OpenAPI 3.1 changes its form alone: members that a type requires stay required.
# What happens (@apidevtools/swagger-parser 13.0.0, 2026-11-29): of a `$ref` and a keyword beside it both apply (JSON Schema 2020-12 §8.2.3.1, which OpenAPI 3.1
# uses), but the keyword replaces that of the same name behind the `$ref`. So "required": ["age"] beside a type that requires name leaves age alone. Only
# `properties` are merged. bundle() keeps both.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E @apidevtools/swagger-parser@13.0.0
cat >siblings.mjs <<'JS'
import SwaggerParser from '@apidevtools/swagger-parser'

const document = () => ({
  openapi: '3.1.0',
  info: { title: 'people', version: '1' },
  paths: {},
  components: {
    schemas: {
      Base: { type: 'object', required: ['name'], minProperties: 2, properties: { name: { type: 'string' } } },
      Person: { $ref: '#/components/schemas/Base', required: ['age'], minProperties: 1, properties: { age: { type: 'number' } } },
    },
  },
})
const { Person } = (await SwaggerParser.dereference(document())).components.schemas
console.log('dereferenced: required', Person.required, 'minProperties', Person.minProperties, 'properties', Object.keys(Person.properties).sort())
console.log('bundled:', JSON.stringify((await SwaggerParser.bundle(document())).components.schemas.Person))
JS
node siblings.mjs | tee got
cat >expected <<'TEXT'
dereferenced: required [ 'age' ] minProperties 1 properties [ 'age', 'name' ]
bundled: {"$ref":"#/components/schemas/Base","required":["age"],"minProperties":1,"properties":{"age":{"type":"number"}}}
TEXT
diff expected got
