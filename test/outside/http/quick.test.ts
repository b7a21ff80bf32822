import assert from 'node:assert/strict'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { transports } from '../../support/helpers.ts'
import { npmPackages } from '../support/install.ts'
import { run, succeed } from '../support/processes.ts'
import { needCommands, suite } from '../support/suite.ts'
import { callServer, nodeServer } from './others.ts'
import { answers, ask, type Send, serve } from './served.ts'

/** Makes a client for a server. All keep connections alive by default. */
interface Client {
  name: string
  open: (url: string) => Send
}

const methodOf = (body: unknown): 'GET' | 'POST' => (body === undefined ? 'GET' : 'POST')

await suite(
  'HTTP clients of Node',
  async (): Promise<Client[]> => {
    const folder = join(await npmPackages(import.meta.dirname), 'node_modules')
    const load = (file: string) => import(pathToFileURL(join(folder, file)).href)
    const { Pool } = await load('undici/index.js')
    const { default: axios } = await load('axios/index.js')
    const { default: got } = await load('got/dist/source/index.js')
    return [
      {
        name: 'fetch',
        open: (url) => async (path, body, headers) => {
          const sent = Array.isArray(body) ? { body: Readable.from(body), duplex: 'half' as const } : { body }
          const answer = await fetch(url + path, { method: methodOf(body), headers, ...sent } as RequestInit)
          return { status: answer.status, text: await answer.text() }
        },
      },
      {
        name: 'undici',
        open: (url) => {
          const pool = new Pool(url)
          return async (path, body, headers) => {
            const sent = Array.isArray(body) ? Readable.from(body) : body
            const answer = await pool.request({ path, method: methodOf(body), headers, body: sent })
            return { status: answer.statusCode, text: await answer.body.text() }
          }
        },
      },
      {
        name: 'axios',
        open: (url) => async (path, body, headers) => {
          const data = Array.isArray(body) ? Readable.from(body) : body
          // By default it writes text that is no JSON as a JSON string, where the media type says JSON.
          const asItIs = { transformRequest: (sent: unknown) => sent, transformResponse: (got: unknown) => got }
          const settings = { headers, responseType: 'text', validateStatus: () => true, ...asItIs }
          const { status, data: text } = await axios({ url: url + path, method: methodOf(body), data, ...settings })
          return { status, text }
        },
      },
      {
        name: 'got',
        open: (url) => async (path, body, headers) => {
          const sent = Array.isArray(body) ? Readable.from(body) : body
          const settings = { method: methodOf(body), headers, throwHttpErrors: false, retry: { limit: 0 } }
          const { statusCode, body: text } = await got(url + path, { body: sent, ...settings })
          return { status: statusCode, text }
        },
      },
    ]
  },
  (clients) => {
    for (const transport of transports) {
      for (const { name, open } of clients) {
        it(`${name} (${transport})`, async (t) => {
          const { url } = await serve(t, transport)
          assert.deepEqual(await ask(open(url)), answers)
        })
      }
    }
  },
)

await suite(
  'curl and autocannon',
  async () => {
    needCommands({ curl: 'curl' })
    const folder = join(await npmPackages(import.meta.dirname), 'node_modules')
    const { default: autocannon } = await import(pathToFileURL(join(folder, 'autocannon/autocannon.js')).href)
    return autocannon as (options: object) => Promise<{ '2xx': number; non2xx: number; errors: number; mismatches: number }>
  },
  (autocannon) => {
    const json = ['-H', 'Content-Type: application/json']
    const curl = (...args: string[]) => succeed('curl', ['--silent', '--show-error', '--max-time', '10', ...args])

    for (const transport of transports) {
      it(`curl (${transport})`, async (t) => {
        const { url } = await serve(t, transport)
        const send: Send = async (path, body, headers) => {
          const options = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
          if (Array.isArray(body)) options.push('-H', 'Transfer-Encoding: chunked')
          if (body !== undefined) options.push('--data-binary', '@-')
          const all = ['--silent', '--show-error', '--max-time', '10', '-w', '\n%{http_code}', ...options, url + path]
          const { stdout } = await run('curl', all, { input: [body ?? []].flat().join('') })
          const end = stdout.lastIndexOf('\n')
          return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) }
        }
        assert.deepEqual(await ask(send), answers)
      })

      it(`curl in other versions of HTTP, and on one connection (${transport})`, async (t) => {
        const { url } = await serve(t, transport)
        const version = ['-w', ' %{http_code} %{http_version} %{num_connects}', ...json, '-d', '[1]', `${url}/echo`]
        assert.equal(await curl(...version), '[1] 200 1.1 1')
        assert.equal(await curl('--http1.0', ...version), '[1] 200 1.1 1')
        // It offers to upgrade, and goes on as it is when the offer is passed over.
        assert.equal(await curl('--http2', ...version), '[1] 200 1.1 1')
        assert.equal(await curl(...version, `${url}/echo`, `${url}/echo`), '[1] 200 1.1 1[1] 200 1.1 0[1] 200 1.1 0')
        assert.equal(await curl('--http1.0', '-H', 'Connection: keep-alive', ...version, `${url}/echo`), '[1] 200 1.1 1[1] 200 1.1 0')
        assert.equal(await curl('-H', 'Connection: close', ...version, `${url}/echo`), '[1] 200 1.1 1[1] 200 1.1 1')
        // HTTP/2 without asking is another protocol.
        assert.match(
          (await run('curl', ['--silent', '--http2-prior-knowledge', '--max-time', '10', ...json, '-d', '1', `${url}/echo`])).stdout,
          /^$/,
        )
        assert.equal(await curl(...version), '[1] 200 1.1 1')
      })

      it(`curl that waits for 100 Continue, compresses and uploads (${transport})`, async (t) => {
        const { url } = await serve(t, transport)
        const input = `"${'y'.repeat(2_000_000)}"`
        const upload = ['--silent', '--show-error', '--max-time', '10', ...json, '--data-binary', '@-', `${url}/length`]
        const { stdout, stderr } = await run('curl', ['-v', '-H', 'Expect: 100-continue', ...upload], { input })
        assert.equal(stdout, '2000000')
        assert.match(stderr, /< HTTP\/1.1 100 Continue/)
        const large = await curl('--compressed', '-w', ' %{size_download}', ...json, '-d', '500000', `${url}/large`)
        assert.equal(large.length, 500_002 + large.slice(500_002).length)
        assert.ok(Number(large.slice(500_003)) < 5_000, 'it was not compressed')
      })

      for (const pipelining of [1, 8]) {
        it(`autocannon, ${pipelining} at a time on each of 20 connections (${transport})`, async (t) => {
          const { url, connections } = await serve(t, transport)
          const body = '{"a":1}'
          const headers = { 'Content-Type': 'application/json' }
          const load = { url: `${url}/echo`, method: 'POST', headers, body, expectBody: body, connections: 20, pipelining, amount: 4_000 }
          const result = await autocannon(load)
          assert.deepEqual([result.non2xx, result.errors, result.mismatches], [0, 0, 0])
          // It counts what it sends, and does not wait for the last ones of a pipeline.
          assert.ok(result['2xx'] >= 4_000 - 20 * (pipelining - 1), `${result['2xx']} answers`)
          assert.equal(connections(), 20)
        })
      }
    }
  },
)

for (const transport of transports) {
  it(`node:http, called by us (${transport})`, async (t) => {
    await callServer(t, transport, `tcp://127.0.0.1:${await nodeServer(t)}`, { chunks: true, old: false })
  })
}
