import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { reasonOf } from '../base/errors/error-text.ts'
import type { DialOptions } from '../endpoint/connect-options.ts'
import { Endpoint } from '../endpoint/endpoint.ts'
import { authBearer } from '../plugins/auth.ts'
import type { EndpointOptions } from '../session/options.ts'
import type { Session } from '../session/session.ts'
import { CommandError, dialError, Exit, usage } from './failure.ts'
import { waitingFor, withProgress } from './progress.ts'

/** Options of all commands that connect. */
export interface ConnectFlags {
  protocol?: string
  codec?: string
  timeout: number
  dialTimeout: number
  token?: string
  ca?: string
  servername?: string
  insecure?: true
  transport?: 'auto' | 'native' | 'js'
  json?: true
}

export type MetaFlag = Record<string, string>

export function addConnectOptions(command: Command): Command {
  return command
    .addOption(choice('-p, --protocol <name>', 'protocol that the peer speaks', ['raw', 'json', 'protobuf', 'http', 'jsonrpc']))
    .addOption(choice('-c, --codec <name>', 'codec of bodies', ['json', 'plain', 'form', 'xml', 'msgpack', 'cbor']))
    .option('-t, --timeout <ms>', 'milliseconds to wait for an answer', milliseconds, 5_000)
    .option('--dial-timeout <ms>', 'milliseconds to connect', milliseconds, 5_000)
    .option('--token <text>', 'credentials for a server with authChecker')
    .option('--ca <file>', 'certificates that tls:// and wss:// trust')
    .option('--servername <name>', 'name of the server in its certificate')
    .option('--insecure', 'accept any certificate')
    .addOption(choice('--transport <name>', 'transport of this side', ['auto', 'native', 'js']))
    .option('--json', 'print JSON, failures too')
}

/** An option with one of these values, of which the first one is the default. */
function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values).default(values[0])
}

export function addMetaOption(command: Command): Command {
  return command.option('-m, --meta <key=value>', 'meta to send; may be repeated', addMeta)
}

function addMeta(text: string, meta: MetaFlag = {}): MetaFlag {
  const at = text.indexOf('=')
  if (at <= 0) throw new InvalidArgumentError('expected key=value')
  return { ...meta, [text.slice(0, at)]: text.slice(at + 1) }
}

export function milliseconds(text: string): number {
  return whole(text, 1, 'a whole number of milliseconds')
}

export function count(text: string): number {
  return whole(text, 1, 'a whole number above 0')
}

function whole(text: string, least: number, what: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > 2 ** 31 - 1) throw new InvalidArgumentError(`expected ${what}`)
  return value
}

/** `host:port` becomes `tcp://host:port`. */
export function urlOf(text: string): string {
  if (text.trim() === '') throw usage('the url is empty')
  const web = /^(https?):\/\/([^/]*)/i.exec(text)
  if (web !== null) throw usage(`${web[1]} is a protocol, not an address: ${web[1] === 'https' ? 'tls://' : ''}${web[2]} --protocol http`)
  return /^[a-z]+:\/\//i.test(text) ? text : `tcp://${text}`
}

/** Takes any route but none at all, which a variable of a script may be. */
export function routeOf(text: string): string {
  if (text.trim() === '') throw usage('the route is empty')
  return text
}

/** An endpoint for these flags; `extra` are options of the command. */
export function endpointFor(flags: ConnectFlags, extra: EndpointOptions = {}): Endpoint {
  const { token, transport = 'auto', codec = 'json', timeout, dialTimeout } = flags
  const plugins = token === undefined ? [] : [authBearer((_, sendOnce) => sendOnce(token))]
  try {
    return new Endpoint({ log: false, transport, codec, timeout, dialTimeout, plugins, ...extra })
  } catch (error) {
    throw usage(reasonOf(error))
  }
}

function dialOptions({ protocol, ca, servername, insecure }: ConnectFlags): DialOptions {
  const tls = {
    ...(ca === undefined ? undefined : { ca: readPem(ca) }),
    ...(servername === undefined ? undefined : { servername }),
    ...(insecure === undefined ? undefined : { rejectUnauthorized: false }),
  }
  return { protocol, ...(Object.keys(tls).length === 0 ? undefined : { tls }) }
}

/**
 * Certificates of a file.
 *
 * @throws CommandError 7
 */
export function readPem(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new CommandError(Exit.BadFile, `cannot read ${file}: ${reasonOf(error)}`)
  }
}

/** Dials with `endpoint`. */
export async function dial(endpoint: Endpoint, url: string, flags: ConnectFlags, extra: DialOptions = {}): Promise<Session> {
  const options = { ...dialOptions(flags), ...extra }
  try {
    return await withProgress(waitingFor(`connecting to ${url}`), () => endpoint.dial(url, options))
  } catch (error) {
    throw dialError(url, error)
  }
}

/** Runs `use` on a session, and closes it. */
export async function withSession<T>(url: string, flags: ConnectFlags, use: (session: Session) => Promise<T>): Promise<T> {
  const endpoint = endpointFor(flags)
  try {
    return await use(await dial(endpoint, url, flags))
  } finally {
    await endpoint.close({ timeout: 1_000 })
  }
}
