import type { Command } from 'commander'
import { LoadResult, runLoad } from '../bench/load.ts'
import { htmlPicture, milliseconds, terminalPicture } from '../bench/picture.ts'
import { addConnectOptions, addMetaOption, type ConnectFlags, count, dial, endpointFor, type MetaFlag, routeOf, urlOf } from '../connect.ts'
import { CommandError, callError, Exit } from '../failure.ts'
import { readArgument } from '../json-argument.ts'
import { colors, columns, print, printJson } from '../output.ts'
import { bar, withProgress } from '../progress.ts'
import { writeFile } from '../write-file.ts'

type Flags = ConnectFlags & { meta?: MetaFlag; duration: number; connections: number; inFlight: number; rate?: number; html?: string }

const SHARES = [0.5, 0.9, 0.99, 0.999]

export function addBench(program: Command): void {
  const command = program
    .command('bench <url> <route> [json]')
    .summary('measure how fast a route answers')
    .description(
      'Measures how fast a route answers. Without --rate each answer is followed by the next call (closed loop); with it calls are made at that rate whether answers come or not, and their time counts from when they were due (open loop). Ctrl-C ends it early, with a report of what was measured.',
    )
    .option('-d, --duration <ms>', 'milliseconds to make calls', count, 5_000)
    .option('--connections <n>', 'connections', count, 1)
    .option('--in-flight <n>', 'calls at a time, of all connections together', count, 64)
    .option('--rate <n>', 'calls a second', count)
    .option('--html <file>', 'write the report as a page, too')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl bench 127.0.0.1:9000 /math/add '[1,2]'
  $ dmctl bench 127.0.0.1:9000 /math/add '[1,2]' --rate 5000 -d 30000
  $ dmctl bench 127.0.0.1:9000 /math/add '[1,2]' --html report.html`,
    )
    .action((url: string, route: string, json: string | undefined, flags: Flags) => runBench(urlOf(url), routeOf(route), json, flags))
  addMetaOption(addConnectOptions(command))
}

async function runBench(url: string, route: string, json: string | undefined, flags: Flags): Promise<void> {
  const argument = await readArgument(json, flags.codec)
  const { connections, inFlight, rate, duration, meta, html } = flags
  const endpoint = endpointFor(flags)
  const stop = new AbortController()
  const interrupt = (): void => stop.abort()
  try {
    const sessions = await Promise.all(Array.from({ length: connections }, () => dial(endpoint, url, flags)))
    // A route that is not there, or refuses, is no matter of speed.
    await sessions[0].call(route, argument, { meta }).catch((error) => {
      throw callError(url, route, error)
    })
    // A page that cannot be written is told before the work, not after it.
    if (html !== undefined) writeFile(html, '')
    const result = new LoadResult()
    process.once('SIGINT', interrupt)
    await withProgress(
      (elapsed) => `${bar(elapsed / duration)}  ${result.latencies.count} calls${result.failed > 0 ? `, ${result.failed} failed` : ''}`,
      () =>
        runLoad(
          (connection, signal) => sessions[connection].call(route, argument, { meta, signal }),
          { connections, inFlight, rate, duration, signal: stop.signal },
          result,
        ),
    )
    report(`${route} at ${url}`, result, flags, stop.signal.aborted)
  } finally {
    process.off('SIGINT', interrupt)
    await endpoint.close({ timeout: 1_000 })
  }
}

function report(title: string, result: LoadResult, { rate, html, json, inFlight, connections }: Flags, interrupted: boolean): void {
  const { latencies, failures, failed, skipped, elapsed } = result
  const perSecond = Math.round((latencies.count / elapsed) * 1_000)
  const loop = rate === undefined ? `closed, ${inFlight} calls at a time` : `open, ${rate} calls a second`
  const facts: [string, string][] = [
    ['loop', `${loop}, ${connections} ${connections === 1 ? 'connection' : 'connections'}`],
    ['calls', `${latencies.count} in ${milliseconds(elapsed)}, ${perSecond} a second${interrupted ? ' (interrupted)' : ''}`],
    ...[...failures].map(([name, each]): [string, string] => ['failed', `${each} with ${name}`]),
    ...(skipped > 0 ? [['skipped', `${skipped}, because ${inFlight} calls were out (--in-flight)`] as [string, string]] : []),
    ['mean', milliseconds(latencies.mean)],
    ...SHARES.map((share): [string, string] => [`p${share * 100}`, milliseconds(latencies.percentile(share))]),
    ['max', milliseconds(latencies.max)],
  ]
  if (html !== undefined) writeFile(html, htmlPicture(title, facts, latencies))
  if (json) {
    const percentiles = Object.fromEntries(SHARES.map((share) => [`p${share * 100}`, latencies.percentile(share)]))
    const ms = { mean: latencies.mean, ...percentiles, max: latencies.max }
    const numbers = { calls: latencies.count, failed, failures: Object.fromEntries(failures), skipped, interrupted, elapsed, perSecond }
    printJson({ ok: failed === 0, ...numbers, ms, histogram: latencies.rows(48) })
  } else {
    const picture = terminalPicture(latencies, process.stdout.columns ?? 80)
    print(colors.bold(title))
    print(`${columns(facts)}\n`)
    for (const [label, blocks, calls] of picture) print(`  ${label} `, colors.cyan(blocks), ` ${calls}`)
  }
  // The report says which ones.
  if (failed > 0) throw new CommandError(Exit.Failed, json ? '' : `${failed} calls failed`)
}
