import type { Command } from 'commander'
import { defaultLimits } from '../../base/limits.ts'
import { realClock, wallTime } from '../../base/time/clock.ts'
import { type CodecTable, makeCodecs } from '../../codecs/codec-table.ts'
import type { PushContext } from '../../endpoint/context.ts'
import { TextHint } from '../../message/message.ts'
import { addConnectOptions, type ConnectFlags, count, dial, endpointFor, routeOf, urlOf } from '../connect.ts'
import { CommandError, callError, Exit } from '../failure.ts'
import { readArgument } from '../json-argument.ts'
import { colors, errorColors, note, print, printJson, shownJson } from '../output.ts'

type First = [route: string, json: string | undefined]
type Flags = ConnectFlags & { count?: number; first?: First[]; redial?: true; route?: string[] }

export function addWatch(program: Command): void {
  const command = program
    .command('watch <url>')
    .summary('print the pushes of a peer')
    .description('Prints the pushes of a peer, one a line, until interrupted.')
    .option('-n, --count <n>', 'end after n pushes', count)
    .option('-r, --route <route...>', 'print pushes of these routes only')
    .option('--first <route[=json]>', 'call this route first, to subscribe; may be repeated', addFirst)
    .option('--redial', 'reconnect when the connection is lost')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl watch 127.0.0.1:9000
  $ dmctl watch 127.0.0.1:9000 --first '/shop/watch={"orders":true}' --count 10 --json`,
    )
    .action((url: string, flags: Flags) => runWatch(urlOf(url), flags))
  addConnectOptions(command)
}

function addFirst(text: string, list: readonly First[] = []): First[] {
  const at = text.indexOf('=')
  return [...list, at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]]
}

async function runWatch(url: string, flags: Flags): Promise<void> {
  const codecs = makeCodecs()
  const endpoint = endpointFor(flags)
  let left = flags.count ?? Number.POSITIVE_INFINITY
  const ended = deferred()
  endpoint.setUnknownPush((body, ctx) => {
    if (left === 0 || (flags.route !== undefined && !flags.route.includes(ctx.serviceMethod))) return
    printPush(body, ctx, codecs, flags.json === true)
    if (--left === 0) ended.resolve()
  })
  const interrupt = (): void => ended.resolve()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    const firsts = await Promise.all(
      (flags.first ?? []).map(async ([route, json]): Promise<[string, unknown]> => [routeOf(route), await readArgument(json, flags.codec)]),
    )
    const session = await dial(endpoint, url, flags, flags.redial ? { redial: true } : {})
    session.once('close', () => ended.reject(new CommandError(Exit.Lost, `${url} closed the connection`)))
    for (const [route, argument] of firsts)
      await session.call(route, argument).catch((error) => {
        throw callError(url, route, error)
      })
    if (process.stderr.isTTY) note(errorColors.dim(`watching ${url}, Ctrl+C ends`))
    await ended.promise
  } finally {
    // Nobody waits for it when dialling failed.
    ended.promise.catch(() => {})
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await endpoint.close({ timeout: 1_000 })
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined
  const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, ...(settle as NonNullable<typeof settle>) }
}

function printPush(body: Uint8Array, ctx: PushContext, codecs: CodecTable, json: boolean): void {
  const value = decode(body, codecs, ctx.codec)
  const time = new Date(wallTime(realClock)).toISOString()
  if (json) printJson({ time, route: ctx.serviceMethod, meta: ctx.meta, body: value ?? null })
  else print(colors.dim(time.slice(11, 23)), ' ', colors.cyan(ctx.serviceMethod), ...(value === undefined ? [] : [' ', shownJson(value)]))
}

/** The value of a body, or its bytes where no codec can read them without a type. */
function decode(body: Uint8Array, codecs: CodecTable, name: string): unknown {
  if (body.length === 0) return undefined
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  try {
    return codecs.byName(name)?.decode(bytes, 0, bytes.length, TextHint.Nothing, defaultLimits) ?? body
  } catch {
    return body
  }
}
