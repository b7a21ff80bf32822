import type { Command } from 'commander'
import { reasonOf } from '../../base/errors/error-text.ts'
import { table } from '../../base/text/table.ts'
import { etcdRegistry } from '../../rpc/registry/etcd/registry.ts'
import { mdnsRegistry } from '../../rpc/registry/mdns/index.ts'
import type { Registry, Service } from '../../rpc/registry/registry.ts'
import { milliseconds } from '../connect.ts'
import { CommandError, Exit, usage } from '../failure.ts'
import { jsonOf, print } from '../output.ts'

interface Flags {
  etcd?: string[]
  prefix?: string
  mdns?: string | true
  timeout: number
  json?: true
}

export function addRegistry(program: Command): void {
  program
    .command('registry')
    .summary('look into a registry')
    .description('Looks into a registry of services.')
    .addHelpText('after', '\nExamples:\n  $ dmctl registry ls --etcd 127.0.0.1:2379')
    .command('ls [name]')
    .summary('list services and their nodes')
    .description('Lists services and their nodes, those of one name or all.')
    .option('--etcd <address...>', 'servers of etcd')
    .option('--prefix <text>', 'what the keys in etcd begin with')
    .option('--mdns [domain]', 'the local network')
    .option('-t, --timeout <ms>', 'milliseconds to wait', milliseconds, 5_000)
    .option('--json', 'print JSON, failures too')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl registry ls --etcd 127.0.0.1:2379
  $ dmctl registry ls math --mdns --json`,
    )
    .action(runList)
}

async function runList(name: string | undefined, flags: Flags): Promise<void> {
  const registry = open(flags)
  try {
    const services = await list(registry, name).catch((error) => {
      throw new CommandError(Exit.Unreachable, `the registry does not answer: ${reasonOf(error)}`)
    })
    if (flags.json) return print(jsonOf({ ok: true, services }))
    const rows = services.flatMap(({ name: service, version, nodes }) => nodes.map(({ id, address }) => [service, version, address, id]))
    print(rows.length === 0 ? 'nothing is registered' : table([['SERVICE', 'VERSION', 'ADDRESS', 'NODE'], ...rows]))
  } finally {
    await registry.close()
  }
}

/** Services with their nodes, which a list of all may leave out. */
async function list(registry: Registry, name: string | undefined): Promise<readonly Service[]> {
  if (name !== undefined) return registry.getService(name)
  const names = new Set((await registry.listServices()).map((service) => service.name))
  return (await Promise.all([...names].map((each) => registry.getService(each)))).flat()
}

function open({ etcd, prefix, mdns, timeout }: Flags): Registry {
  if ((etcd === undefined) === (mdns === undefined)) throw usage('say which registry: --etcd ADDRESS or --mdns')
  try {
    if (etcd !== undefined) return etcdRegistry({ endpoints: etcd, timeout, ...(prefix === undefined ? undefined : { prefix }) })
    return mdnsRegistry({ timeout: Math.min(timeout, 1_000), log: false, ...(typeof mdns === 'string' ? { domain: mdns } : undefined) })
  } catch (error) {
    throw usage(reasonOf(error))
  }
}
