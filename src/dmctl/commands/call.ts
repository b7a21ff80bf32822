import type { Command } from 'commander'
import { Code, type StatusError } from '../../base/errors/status.ts'
import { realClock } from '../../base/time/clock.ts'
import { replyMeta } from '../../message/reply.ts'
import type { Session } from '../../session/session.ts'
import { addConnectOptions, addMetaOption, type ConnectFlags, type MetaFlag, routeOf, urlOf, withSession } from '../connect.ts'
import { readServices } from '../described.ts'
import { CommandError, callError } from '../failure.ts'
import { readArgument } from '../json-argument.ts'
import { nearest } from '../nearest.ts'
import { colors, print, printData, printJson } from '../output.ts'
import { waitingFor, withProgress } from '../progress.ts'

type Flags = ConnectFlags & { meta?: MetaFlag; showMeta?: true }

export function addCall(program: Command): void {
  const command = program
    .command('call <url> <route> [json]')
    .summary('call a route and print its result')
    .description('Calls a route and prints its result. The argument is JSON, - for stdin, or @FILE.')
    .option('--show-meta', 'print meta of the reply too')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl call 127.0.0.1:9000 /math/add '[1,2,3]'
  $ dmctl call wss://example.com/rpc /users/get @user.json --meta tenant=7
  $ echo '{"id":1}' | dmctl call unix:///run/shop.sock /items/get - --json`,
    )
    .action((url: string, route: string, json: string | undefined, flags: Flags) => runCall(urlOf(url), routeOf(route), json, flags))
  addMetaOption(addConnectOptions(command))
}

async function runCall(url: string, route: string, json: string | undefined, flags: Flags): Promise<void> {
  const argument = await readArgument(json, flags.codec)
  await withSession(url, flags, async (session) => {
    const begin = realClock.now()
    try {
      const { body, meta } = await withProgress(waitingFor(`calling ${route}`), () =>
        session.callReply(route, argument, { meta: flags.meta, timeout: flags.timeout }),
      )
      const ms = round(realClock.now() - begin)
      if (flags.json) return printJson({ ok: true, result: body ?? null, meta, ms })
      if (flags.showMeta) for (const [key, value] of Object.entries(meta)) print(colors.dim(`${key}: ${value}`))
      if (flags.codec === 'plain' && typeof body === 'string') printData(body)
      else if (body !== undefined) printJson(body, 2)
    } catch (error) {
      const failure = callError(url, route, error)
      const { code } = error as StatusError
      const meta = replyMeta(error as StatusError)
      throw new CommandError(failure.exit, `${failure.message}${code === Code.NotFound ? await suggestion(session, route) : ''}`, {
        ...failure.details,
        meta,
      })
    }
  })
}

/** The name of a route like the one that is not there, where the peer describes what it serves. */
async function suggestion(session: Session, route: string): Promise<string> {
  const services = await readServices(session).catch(() => [])
  const found = nearest(
    route,
    services.flatMap(({ methods }) => methods.map((method) => method.route)),
  )
  if (found !== undefined) return `; did you mean ${found}?`
  return route.startsWith('/') ? '' : '; names of routes begin with /'
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
