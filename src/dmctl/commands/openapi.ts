import { type Command, Option } from 'commander'
import { asyncapi } from '../../contract/asyncapi.ts'
import { openapi } from '../../contract/openapi.ts'
import { addConnectOptions, type ConnectFlags, urlOf, withSession } from '../connect.ts'
import { DESCRIBE, readServices } from '../described.ts'
import { CommandError, callError, Exit, usage } from '../failure.ts'
import { jsonOf, printJson } from '../output.ts'
import { readPresent, writeFile } from '../write-file.ts'

type Flags = ConnectFlags & { out?: string; title?: string; server?: string[]; openapi: '3.1' | '3.2'; asyncapi?: true; check?: true }

export function addOpenapi(program: Command): void {
  const command = program
    .command('openapi <url>')
    .summary('write the OpenAPI document of a live service')
    .description('Writes the OpenAPI document of what a server describes, which it does with serve(…, { describe: true }).')
    .option('-o, --out <file>', 'file to write; stdout without it')
    .option('--title <text>', 'title of the document')
    .option('--server <url...>', 'urls of servers of the http protocol')
    .addOption(new Option('--openapi <version>', 'version of OpenAPI').choices(['3.1', '3.2']).default('3.1'))
    .addOption(new Option('--asyncapi', 'write AsyncAPI 3.0, which has the pushes, instead').conflicts(['server', 'openapi']))
    .option('--check', 'write nothing, and exit with 8 if the file of --out would change')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl openapi 127.0.0.1:9000 --server https://api.example.com > openapi.json
  $ dmctl openapi 127.0.0.1:9000 --out openapi.json --check`,
    )
    .action((url: string, flags: Flags) => runOpenapi(urlOf(url), flags))
  addConnectOptions(command)
}

async function runOpenapi(url: string, flags: Flags): Promise<void> {
  const { out, title, server, check } = flags
  if (check && out === undefined) throw usage('--check needs --out')
  const services = await withSession(url, flags, (session) =>
    readServices(session).catch((error) => {
      throw callError(url, DESCRIBE, error)
    }),
  )
  const text = `${jsonOf(flags.asyncapi ? asyncapi(services, { title }) : openapi(services, { title, servers: server, openapi: flags.openapi }), 2)}\n`
  if (out === undefined) return void process.stdout.write(text)
  const isSame = readPresent(out) === text
  if (check && !isSame) throw new CommandError(Exit.Changed, `not up to date: ${out}`, { files: [out] })
  if (!check) writeFile(out, text)
  if (flags.json) printJson({ ok: true, written: isSame ? [] : [out] })
}
