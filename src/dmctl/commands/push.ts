import type { Command } from 'commander'
import { addConnectOptions, addMetaOption, type ConnectFlags, type MetaFlag, routeOf, urlOf, withSession } from '../connect.ts'
import { callError } from '../failure.ts'
import { readArgument } from '../json-argument.ts'
import { printJson } from '../output.ts'

type Flags = ConnectFlags & { meta?: MetaFlag }

export function addPush(program: Command): void {
  const command = program
    .command('push <url> <route> [json]')
    .summary('push a message, which nobody answers')
    .description('Pushes a message, which nobody answers: 0 says that it was sent, not that a route took it.')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl push 127.0.0.1:9000 /log/add '{"line":"deployed"}'
  $ dmctl push 127.0.0.1:9000 /log/add 'deployed' --codec plain`,
    )
    .action((url: string, route: string, json: string | undefined, flags: Flags) => runPush(urlOf(url), routeOf(route), json, flags))
  addMetaOption(addConnectOptions(command))
}

async function runPush(url: string, route: string, json: string | undefined, flags: Flags): Promise<void> {
  const argument = await readArgument(json, flags.codec)
  await withSession(url, flags, async (session) => {
    await session.push(route, argument, { meta: flags.meta }).catch((error) => {
      throw callError(url, route, error)
    })
  })
  if (flags.json) printJson({ ok: true })
}
