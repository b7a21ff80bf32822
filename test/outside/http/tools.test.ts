import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { it, type TestContext } from 'node:test'
import { Pool } from 'undici'
import { transports } from '../../support/helpers.ts'
import { succeed } from '../support/processes.ts'
import { needCommands, suite } from '../support/suite.ts'
import { daemon, folder } from './daemon.ts'
import { callServer, nodeServer } from './others.ts'
import { answers, ask, type Send, serve } from './served.ts'

/** Asks through a proxy that listens on a Unix socket. */
function through(t: TestContext, socketPath: string): Send {
  const pool = new Pool('http://localhost', { socketPath, connections: 30 })
  t.after(() => pool.destroy())
  return async (path, body, headers) => {
    const sent = Array.isArray(body) ? Readable.from(body) : (body as string | undefined)
    const answer = await pool.request({ path, method: body === undefined ? 'GET' : 'POST', headers, body: sent ?? null })
    return { status: answer.statusCode, text: await answer.body.text() }
  }
}

function nginxConf(upstream: number, location: string): string {
  return `daemon off; master_process off; pid nginx.pid; error_log stderr warn;
    events {}
    http {
      access_log off; client_max_body_size 8m;
      client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
      upstream us { server 127.0.0.1:${upstream}; keepalive 4; }
      server {
        listen unix:front.sock;
        location / { proxy_pass http://us; ${location} }
        location = /last { proxy_pass http://us; ${location} keepalive_timeout 0; }
      }
    }`
}

function haproxyConf(upstream: number, more: string, server: string): string {
  return `global
    stats timeout 5s
defaults
    mode http
    timeout connect 5s
    timeout check 10s
    timeout client 20s
    timeout server 20s
frontend front
    bind unix@front.sock
    default_backend us
backend us
    ${more}
    server one 127.0.0.1:${upstream} ${server}
`
}

interface Proxy {
  command: readonly string[]
  conf: (port: number) => string
  /** Whether requests that follow each other share a connection. */
  keeps: boolean
  /** It asks for `/health`, and sends nothing to servers that do not answer well. */
  checks?: boolean
}

const nginx = ['nginx', '-p', '.', '-c', 'conf']
const haproxy = ['haproxy', '-db', '-f', 'conf']
const check = 'option httpchk\n    http-check send meth POST uri /health ver HTTP/1.1 hdr Host us hdr Content-Type application/json body 1'

const proxies: Record<string, Proxy> = {
  'nginx that keeps connections': {
    command: nginx,
    conf: (port) => nginxConf(port, 'proxy_http_version 1.1; proxy_set_header Connection "";'),
    keeps: true,
  },
  'nginx that speaks HTTP/1.0': { command: nginx, conf: (port) => nginxConf(port, 'proxy_http_version 1.0;'), keeps: false },
  'HAProxy that keeps connections': { command: haproxy, conf: (port) => haproxyConf(port, 'http-reuse always', ''), keeps: true },
  'HAProxy that closes connections, and checks health': {
    command: haproxy,
    conf: (port) => haproxyConf(port, `option httpclose\n    ${check}`, 'check inter 100ms fall 1'),
    keeps: false,
    checks: true,
  },
}

await suite(
  'HTTP tools',
  () => needCommands({ ab: 'apache2-utils', nginx: 'nginx', haproxy: 'haproxy' }),
  () => {
    for (const transport of transports) {
      for (const [name, { command, conf, keeps, checks }] of Object.entries(proxies)) {
        it(`${name}, in front (${transport})`, async (t) => {
          const { port, connections, checked } = await serve(t, transport)
          const cwd = await folder(t)
          await writeFile(join(cwd, 'conf'), conf(port))
          await daemon(t, command, cwd, 'front.sock')
          if (checks === true) await checked
          const send = through(t, join(cwd, 'front.sock'))
          assert.deepEqual(await ask(send), answers)
          connections()
          for (let i = 0; i < 20; i++) assert.equal((await send('/echo', '1', { 'Content-Type': 'application/json' })).text, '1')
          const opened = connections()
          assert.ok(keeps ? opened <= 2 : opened >= 20, `${opened} connections`)
        })
      }

      it(`nginx called by us, in front of node:http (${transport})`, async (t) => {
        const cwd = await folder(t)
        await writeFile(join(cwd, 'conf'), nginxConf(await nodeServer(t), 'proxy_http_version 1.1; proxy_set_header Host $http_host;'))
        await daemon(t, nginx, cwd, 'front.sock')
        await callServer(t, transport, `unix://${join(cwd, 'front.sock')}`, { chunks: true, old: false })
      })

      for (const keep of [false, true]) {
        it(`ab${keep ? ' -k' : ''} (${transport})`, async (t) => {
          const { url, connections } = await serve(t, transport)
          const cwd = await folder(t)
          await writeFile(join(cwd, 'body'), '{"a":1}')
          const args = ['-n', '2000', '-c', '20', '-s', '20', '-p', 'body', '-T', 'application/json', ...(keep ? ['-k'] : [])]
          const report = await succeed('ab', [...args, `${url}/echo`], { cwd })
          const count = (what: string) => Number(new RegExp(`^${what}: +(\\d+)`, 'm').exec(report)?.[1] ?? 0)
          assert.deepEqual([count('Complete requests'), count('Failed requests'), count('Non-2xx responses')], [2000, 0, 0], report)
          assert.equal(count('Keep-Alive requests'), keep ? 2000 : 0)
          const opened = connections()
          assert.ok(keep ? opened <= 40 : opened >= 2000, `${opened} connections`)
        })
      }
    }
  },
)
