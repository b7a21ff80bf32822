import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { authChecker, Endpoint, StatusError } from '../../src/index.ts'
import { ManyCommands } from '../support/dmctl.ts'

// What a peer says cannot steer the terminal of who reads it: escape sequences, C1 controls, and marks that turn the
// direction of text round are shown as what they are.

/** A bold font, the same by C1, a text from right to left, and an own line that a peer would like to have. */
const BOLD = '\x1b[1m'
const HOSTILE = `${BOLD}\x9b1m\u202e!`
const SEEN = '\\u{1b}[1m\\u{9b}1m\\u{202e}!'
/** Without JSON's own escapes: JSON shows them so. */
const SEEN_JSON = '\\u001b[1m\\u009b1m\\u202e!'

const schema = { type: 'object', properties: { [`key${HOSTILE}`]: { enum: [HOSTILE] } } }
const services = [
  {
    dmicro: 1,
    name: 'math', // others are refused: unit/contract/check-description
    version: `1\nfake${HOSTILE}`,
    docs: `service\n${HOSTILE}`,
    methods: [{ name: 'add', kind: 'call', route: `/a${HOSTILE}`, arg: schema, result: null, docs: `method ${HOSTILE}` }],
    toClient: [{ name: 'news', kind: 'push', route: `/news${HOSTILE}`, arg: null }],
  },
]

describe('dmctl and a hostile peer', { timeout: 60_000 }, () => {
  const server = new Endpoint({ log: false })
  const control = new Endpoint({ log: false, protocol: 'protobuf' })
  const guarded = new Endpoint({
    log: false,
    plugins: [
      authChecker(() => {
        throw new StatusError(1234, `no${HOSTILE}`, `cause${HOSTILE}`)
      }),
    ],
  })
  const commands = new ManyCommands()
  const folder = mkdtempSync(join(tmpdir(), 'dmctl-hostile-'))
  const socket = join(folder, 'ctl.sock')
  let url = ''
  before(async () => {
    server.routeCall('/dmicro/describe', () => ({ services }))
    server.routeCall('/refuse', () => {
      throw new StatusError(1234, `sold${HOSTILE}`, `cause${HOSTILE}`)
    })
    let calls = 0
    server.routeCall('/fail', () => {
      if (calls++ > 0) throw new StatusError(1234, `sold${HOSTILE}`)
    })
    server.routeCall('/meta', (_: unknown, ctx) => {
      ctx.setMeta(`key${HOSTILE}`, `value\nfake: ${HOSTILE}`)
      return { text: HOSTILE }
    })
    server.routeCall('/watch', (_: unknown, ctx) => setImmediate(() => ctx.session.push(`/news${HOSTILE}`, { text: HOSTILE })))
    url = (await server.listen('tcp://127.0.0.1:0')).url
    const sandbox = { name: `mail${HOSTILE}`, service: 'default', state: 'running', description: `fine\nfake ${HOSTILE}` }
    const info = { name: `shop${HOSTILE}`, version: '1', dmicro: '1', node: '24', pid: 1 }
    const entry = { time: 0, level: 'info', process: 'shop', pid: 1, seq: 1, text: `line\nfake ${HOSTILE}` }
    control.routeCall('/dserver/version', () => info)
    control.routeCall('/dserver/info', () => [sandbox])
    control.routeCall('/dserver/log', () => [entry])
    control.routeCall('/dserver/stop', () => {
      throw new StatusError(1234, `no${HOSTILE}`, HOSTILE)
    })
    await control.listen(`unix://${socket}`)
  })
  after(async () => {
    commands.close()
    await Promise.all([server.close({ timeout: 0 }), guarded.close({ timeout: 0 }), control.close({ timeout: 0 })])
    rmSync(folder, { recursive: true })
  })

  /** Runs a command for people: what it prints has `seen`, and nothing that a terminal obeys. */
  async function shows(args: readonly string[], ...seen: readonly string[]): Promise<string> {
    const { stdout, stderr } = await commands.run(...args)
    const text = stdout + stderr
    assert.doesNotMatch(text, /[^\P{Cc}\n]|\p{Bidi_Control}/u, JSON.stringify(text))
    for (const each of seen) assert.ok(text.includes(each), `${each} is not in ${text}`)
    return text
  }

  /** Runs a command for programs: the values in its JSON are those of the peer. */
  async function tells(...args: readonly string[]): Promise<unknown> {
    const { stdout } = await commands.run(...args, '--json')
    assert.doesNotMatch(stdout, /[^\P{Cc}\n]|\p{Bidi_Control}/u)
    return JSON.parse(stdout)
  }

  it('describe shows names, versions, routes, types and docs, each in its own line', async () => {
    const text = await shows(['describe', url], `math 1\\u{a}fake${SEEN}  service ${SEEN}\n`, `/a${SEEN}`, `key${SEEN}`, `method ${SEEN}`)
    assert.equal(text.split('\n').length, 4, text)
    assert.deepEqual(await tells('describe', url), { ok: true, services })
  })

  it('call shows status, cause, meta, results, and routes that are meant', async () => {
    await shows(['call', url, '/refuse'], `1234 sold${SEEN}: cause${SEEN}\n`)
    const text = await shows(['call', url, '/meta', '--show-meta'], `key${SEEN}: value\\u{a}fake: ${SEEN}\n`, SEEN_JSON)
    assert.equal(text.split('\n').length, 5, text)
    const { result, meta } = (await tells('call', url, '/meta')) as { result: unknown; meta: Record<string, string> }
    assert.deepEqual([result, meta], [{ text: HOSTILE }, { [`key${HOSTILE}`]: `value\nfake: ${HOSTILE}` }])
    const { error, cause } = (await tells('call', url, '/refuse')) as Record<string, string>
    assert.deepEqual([error, cause], [`/refuse failed: 1234 sold${HOSTILE}: cause${HOSTILE}`, `cause${HOSTILE}`])
    await shows(['call', url, `/a${HOSTILE.slice(0, -1)}`], `did you mean /a${SEEN}?`)
  })

  it('watch shows routes and bodies of pushes', async () => {
    await shows(['watch', url, '--first', '/watch', '-n', '1'], ` /news${SEEN} {"text":"${SEEN_JSON}"}\n`)
    await shows(['watch', url, '--first', '/refuse'], `cause${SEEN}`)
  })

  it('doctor and push show why a peer refuses the connection', async () => {
    const { url: refusing } = await guarded.listen('tcp://127.0.0.1:0')
    await shows(['doctor', refusing, '--token', 'x'], `refused the connection: 1234 no${SEEN}: cause${SEEN}\n`)
    await shows(['push', refusing, '/a', '--token', 'x'], `refused the connection: 1234 no${SEEN}: cause${SEEN}\n`)
  })

  it('bench shows what calls failed with', async () => {
    await shows(['bench', url, '/fail', '-d', '20', '--in-flight', '1'], `with 1234 sold${SEEN}\n`)
  })

  it('ctl shows tables, versions, lines of the log and failures', async () => {
    const ctl = (...words: string[]) => ['ctl', 'shop', ...words, '--socket', socket]
    const text = await shows(ctl('info'), `mail${SEEN}  `, `fine\\u{a}fake ${SEEN}\n`)
    assert.equal(text.split('\n').length, 3, text)
    await shows(ctl('version'), `shop${SEEN} 1, `)
    await shows(ctl('log'), `line\\u{a}fake ${SEEN}\n`)
    await shows(ctl('stop', 'x'), `no${SEEN}`)
    const { sandboxes } = (await tells(...ctl('info'))) as { sandboxes: { name: string }[] }
    assert.equal(sandboxes[0].name, `mail${HOSTILE}`)
  })
})
