import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { asyncapi, openapi, type Service } from '../../../src/contract/index.ts'
import { Shop as Example } from '../../support/shop.ts'
import { Shop } from '../../unit/contract/shop.ts'
import { npmPackages } from '../support/install.ts'
import { suite } from '../support/suite.ts'

interface Diagnostic {
  severity: number
  code: string
  path: (string | number)[]
  message: string
}

interface Tools {
  Validator: new () => { validate(document: object): Promise<{ valid: boolean; errors?: unknown }> }
  Parser: new () => {
    parse(text: string): Promise<{ document?: { version(): string; operations(): { length: number } }; diagnostics: Diagnostic[] }>
  }
}

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
const services: Readonly<Record<string, Service>> = { 'of each kind of schema': Shop as unknown as Service, 'of the example': Example }

/** Severity of what is wrong, and of what might be. */
const WARNING = 1

await suite(
  'documents of contracts',
  async (): Promise<Tools> => {
    const require = createRequire(join(await npmPackages(import.meta.dirname), 'package.json'))
    const { Parser } = require('@asyncapi/parser') as Pick<Tools, 'Parser'>
    const { href } = pathToFileURL(require.resolve('@seriousme/openapi-schema-validator'))
    const { Validator } = (await import(href)) as Pick<Tools, 'Validator'>
    return { Validator, Parser }
  },
  ({ Validator, Parser }) => {
    for (const [which, service] of Object.entries(services)) {
      for (const version of ['3.1', '3.2'] as const) {
        test(`a validator accepts OpenAPI ${version} ${which}, and refuses it with an error in it`, async () => {
          const document = copy(openapi(service, { openapi: version, servers: ['http://127.0.0.1:9000'], security: 'bearer' }))
          const { valid, errors } = await new Validator().validate(copy(document))
          assert.ok(valid, JSON.stringify(errors))
          ;(document.tags as object[]).push({ summary: 'nameless' })
          assert.equal((await new Validator().validate(document)).valid, false)
        })
      }

      test(`AsyncAPI's own parser reads the document ${which}, and has no complaint`, async () => {
        const text = JSON.stringify(asyncapi(service, { servers: { main: 'tcp://127.0.0.1:9000' } }))
        const { document, diagnostics } = await new Parser().parse(text)
        const found = diagnostics.filter(({ severity }) => severity <= WARNING)
        assert.deepEqual(found.map(({ path, message }) => `${path.join('.')}: ${message}`), []) // biome-ignore format: one line
        assert.equal(document?.version(), '3.0.0')
        const { methods, toClient } = service
        assert.ok((document?.operations().length ?? 0) >= Object.keys(toClient.methods).length, Object.keys(methods).join())
        const { diagnostics: wrong } = await new Parser().parse(text.replaceAll('"receive"', '"take"'))
        assert.ok(wrong.some(({ severity }) => severity === 0))
      })
    }
  },
)
