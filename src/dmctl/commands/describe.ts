import type { Command } from 'commander'
import type { MethodDescription } from '../../contract/description.ts'
import type { JsonSchema } from '../../contract/json-schema.ts'
import { addConnectOptions, type ConnectFlags, urlOf, withSession } from '../connect.ts'
import { DESCRIBE, readServices } from '../described.ts'
import { callError } from '../failure.ts'
import { colors, columns, print, printJson } from '../output.ts'

export function addDescribe(program: Command): void {
  const command = program
    .command('describe <url>')
    .summary('list what a live service offers')
    .description('Lists the methods of what a server describes, which it does with serve(…, { describe: true }).')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl describe 127.0.0.1:9000
  $ dmctl describe 127.0.0.1:9000 --json`,
    )
    .action((url: string, flags: ConnectFlags) => runDescribe(urlOf(url), flags))
  addConnectOptions(command)
}

async function runDescribe(url: string, flags: ConnectFlags): Promise<void> {
  const services = await withSession(url, flags, (session) =>
    readServices(session).catch((error) => {
      throw callError(url, DESCRIBE, error)
    }),
  )
  if (flags.json) return printJson({ ok: true, services })
  for (const { name, version, docs, methods, toClient } of services) {
    print(colors.bold(`${name}${version === '' ? '' : ` ${version}`}`), docs === undefined ? '' : `  ${inLine(docs)}`)
    const rows = methods.map((method): [string, string] => [`${method.kind} ${method.route}`, line(method)])
    print(
      columns([...rows, ...toClient.map((method): [string, string] => [`${method.kind} ${method.route}`, `to clients: ${line(method)}`])]),
    )
  }
}

/** Argument, result and docs of a method, in one line. */
function line({ kind, arg, result, docs, deprecated }: MethodDescription): string {
  const types = `(${arg === null ? '' : typeOf(arg)})${kind === 'call' ? ` → ${result == null ? 'nothing' : typeOf(result)}` : ''}`
  const notes = [deprecated ? 'deprecated' : '', docs === undefined ? '' : inLine(docs)].filter((text) => text !== '')
  return [types, ...notes].join('  ')
}

function inLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

/** A schema in few words, as TypeScript would say it. */
function typeOf(schema: JsonSchema | boolean, depth = 0): string {
  if (typeof schema === 'boolean') return 'any'
  const { type, properties, items, required = [], enum: values, anyOf } = schema
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' | ')
  if (anyOf !== undefined) return anyOf.map((each) => typeOf(each, depth)).join(' | ')
  if (type === 'array') return `${typeOf(items ?? true, depth)}[]`
  if (properties !== undefined) {
    if (depth > 1) return '{…}'
    const members = Object.entries(properties)
    return `{ ${members.map(([name, each]) => `${name}${required.includes(name) ? '' : '?'}: ${typeOf(each, depth + 1)}`).join(', ')} }`
  }
  return typeof type === 'string' ? type : 'any'
}
