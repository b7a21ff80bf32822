import assert from 'node:assert/strict'
import { register } from 'node:module'
import { test } from 'node:test'
import { Endpoint } from '../../../src/index.ts'

/** Makes the import of the package fail: with that of Node.js for a package that is missing, or as without a binary. */
const hooks = `
let times = 0
export async function resolve(name, context, next) {
  if (!name.startsWith('@matrixai/quic')) return next(name, context)
  if (times++ === 0) throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  throw new Error('Failed requiring possible native bindings: prebuild/quic-linux-s390x.node')
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)

test('quic:// without its package, or without a binary of it, fails at once with the command that installs it', async () => {
  const endpoint = new Endpoint({ log: false, redial: true })
  const missing = /^quic:\/\/ needs the package @matrixai\/quic: npm install @matrixai\/quic$/
  await assert.rejects(endpoint.dial('quic://127.0.0.1:1'), matching(missing))
  const binary = /^quic:\/\/ needs a binary of @matrixai\/quic for \S+: npm install @matrixai\/quic \(Failed requiring/
  await assert.rejects(endpoint.dial('quic://127.0.0.1:1'), matching(binary))
  await endpoint.close()
})

function matching(cause: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.equal((error as { code: number }).code, 1)
    assert.match(String((error as Error).cause), cause)
    return true
  }
}
