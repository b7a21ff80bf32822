import { readFileSync } from 'node:fs'
import { arch, availableParallelism, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { reasonOf } from '../../base/errors/error-text.ts'
import { Code, type StatusError } from '../../base/errors/status.ts'
import { defaultLimits } from '../../base/limits.ts'
import { realClock } from '../../base/time/clock.ts'
import { DESCRIBE_ROUTE } from '../../contract/description-route.ts'
import { Endpoint } from '../../endpoint/endpoint.ts'
import { addConnectOptions, type ConnectFlags, urlOf, withSession } from '../connect.ts'
import { CommandError, callError, Exit } from '../failure.ts'
import { colors, columns, print, printJson } from '../output.ts'
import { installedVersion, ownVersion } from '../package-info.ts'
import { waitingFor, withProgress } from '../progress.ts'

/** Optional packages, and what needs them. */
const optional: readonly (readonly [name: string, use: string])[] = [
  ['@matrixai/quic', 'quic://'],
  ['@opentelemetry/api', 'dmicro/tracing'],
  ['prom-client', 'prometheus({ register })'],
  ['@modelcontextprotocol/server', 'tools of agents in dmicro/contract'],
  ['uWebSockets.js', 'WebSockets by uWebSockets.js'],
]

/** Fewer open files than this are soon used up by a server, since each connection is one. */
const FEW_FILES = 4_096

interface Report {
  versions: Record<string, string>
  machine: Record<string, string>
  transport: { kind: string; reason: string; ioThreads: number; tls: string }
  ports: Record<string, string>
  limits: { system: Record<string, string>; dmicro: Readonly<Record<string, number>> }
  packages: Record<string, string | null>
  peer?: Record<string, string>
  problems: string[]
}

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor [url]')
    .summary('show which transport runs and why, versions, ports, limits, and what is missing')
    .description('Shows which transport runs and why, versions, ports, limits, and what is missing; with a url also the peer there.')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl doctor
  $ dmctl doctor 127.0.0.1:9000 --json`,
    )
    .action((url: string | undefined, flags: ConnectFlags) => runDoctor(url, flags))
  addConnectOptions(command)
}

async function runDoctor(url: string | undefined, flags: ConnectFlags): Promise<void> {
  const report = await withProgress(waitingFor('looking around'), () => examine(flags))
  let failure: CommandError | undefined
  if (url !== undefined) {
    try {
      await examinePeer(urlOf(url), flags, report)
    } catch (error) {
      failure = error instanceof CommandError ? error : new CommandError(Exit.Failed, reasonOf(error))
      report.problems.push(failure.message)
    }
  }
  if (flags.json) printJson({ ok: failure === undefined, ...report })
  else printReport(report)
  // The message is among the problems.
  if (failure !== undefined) throw new CommandError(failure.exit, flags.json ? '' : failure.message, failure.details)
}

async function examine({ transport = 'auto' }: ConnectFlags): Promise<Report> {
  const problems: string[] = []
  const { bun, deno, node = '', v8 = '', uv = '', openssl = '' } = process.versions
  const report: Report = {
    versions: { dmicro: ownVersion(), ...(bun && { bun }), ...(deno && { deno }), node, v8, uv, openssl },
    machine: {
      system: `${process.platform} ${release()} ${arch()}`,
      cores: String(availableParallelism()),
      memory: `${Math.round(totalmem() / 2 ** 20)} MiB`,
    },
    transport: { kind: 'none', reason: '', ioThreads: 0, tls: '' },
    ports: {},
    limits: { system: systemLimits(problems), dmicro: { ...defaultLimits } },
    packages: Object.fromEntries(optional.map(([name]) => [name, installedVersion(name) ?? null])),
    problems,
  }
  try {
    const endpoint = new Endpoint({ log: false, transport })
    const { kind, reason, ioThreads, tls } = endpoint.transport
    report.transport = { kind, reason, ioThreads, tls }
    if (kind === 'js' && transport === 'auto' && !reason.startsWith('asked for'))
      problems.push(`the native transport does not run: ${reason}`)
    report.ports = await tryPorts(endpoint, problems)
    await endpoint.close()
  } catch (error) {
    report.transport.reason = reasonOf(error)
    problems.push(reasonOf(error))
  }
  return report
}

/** Listens on each kind of address that servers use, and makes a call over it. */
async function tryPorts(endpoint: Endpoint, problems: string[]): Promise<Record<string, string>> {
  const ports: Record<string, string> = {}
  endpoint.routeCall('/doctor/echo', (value: unknown) => value)
  for (const [name, url] of [
    ['IPv4', 'tcp://127.0.0.1:0'],
    ['IPv6', 'tcp://[::1]:0'],
    ['UDP (kcp)', 'kcp://127.0.0.1:0'],
    ['Unix socket', `unix://${join(tmpdir(), `dmctl-doctor-${process.pid}.sock`)}`],
  ]) {
    try {
      const session = await endpoint.dial((await endpoint.listen(url)).url)
      await session.call('/doctor/echo', 1)
      const begin = realClock.now()
      await session.call('/doctor/echo', 1)
      ports[name] = `works, ${Math.round((realClock.now() - begin) * 1_000)} µs for a call to itself`
    } catch (error) {
      ports[name] = `does not work: ${reasonOf(error)}`
      if (name === 'IPv4') problems.push(`${url}: ${reasonOf(error)}`)
    }
  }
  const range = readLine('/proc/sys/net/ipv4/ip_local_port_range')?.split(/\s+/)
  if (range?.length === 2) ports['outgoing ports'] = `${range[0]} to ${range[1]}`
  return ports
}

/** Limits of the system, where it tells them in /proc. */
function systemLimits(problems: string[]): Record<string, string> {
  const limits: Record<string, string> = {}
  const files = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readText('/proc/self/limits') ?? '')
  if (files !== null) {
    limits['open files'] = `${files[1]}, at most ${files[2]}`
    if (Number(files[1]) < FEW_FILES) problems.push(`only ${files[1]} open files are allowed, which limits connections (ulimit -n)`)
  }
  const backlog = readLine('/proc/sys/net/core/somaxconn')
  if (backlog !== undefined) limits['listen backlog'] = backlog
  return limits
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function readLine(file: string): string | undefined {
  return readText(file)?.trim()
}

/** Connects, and makes a call: what only accepts connections, or speaks another protocol, does not answer it. */
async function examinePeer(url: string, flags: ConnectFlags, report: Report): Promise<void> {
  const begin = realClock.now()
  await withSession(url, flags, async (session) => {
    report.peer = {
      url,
      protocol: session.protocol,
      address: session.remoteAddress,
      connected: `in ${(realClock.now() - begin).toFixed(1)} ms`,
    }
    const asked = realClock.now()
    try {
      await withProgress(waitingFor('an answer'), () => session.call(DESCRIBE_ROUTE))
    } catch (error) {
      // Most peers do not describe themselves, and say so.
      if ((error as Partial<StatusError>).code !== Code.NotFound) throw callError(url, DESCRIBE_ROUTE, error)
    }
    report.peer.answers = `a call in ${(realClock.now() - asked).toFixed(1)} ms`
  })
}

function printReport({ versions, machine, transport, ports, limits, packages, peer, problems }: Report): void {
  const section = (name: string, rows: Readonly<Record<string, string>>): void =>
    print(colors.bold(name), `\n${columns(Object.entries(rows))}`)
  const { kind, reason, ioThreads, tls } = transport
  section('versions', versions)
  section('machine', machine)
  section('transport', { kind, why: reason || 'its binary runs here', 'IO threads': String(ioThreads), tls })
  section('ports', ports)
  section('limits of the system', limits.system)
  section('limits of dmicro', Object.fromEntries(Object.entries(limits.dmicro).map(([name, value]) => [name, String(value)])))
  const uses = new Map(optional)
  const shown = Object.entries(packages).map(([name, version]) => [name, version ?? `not installed, for ${uses.get(name)}`])
  section('optional packages', Object.fromEntries(shown))
  if (peer !== undefined) section('peer', peer)
  if (problems.length === 0) print(colors.green('nothing is missing'))
  else {
    print(colors.bold('problems'))
    for (const problem of problems) print(colors.yellow(`  ${problem}`))
  }
}
