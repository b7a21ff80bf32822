import { type Command, Option } from 'commander'
import { reasonOf } from '../../base/errors/error-text.ts'
import { table } from '../../base/text/table.ts'
import { etcdRegistry } from '../../rpc/registry/etcd/registry.ts'
import { mdnsRegistry } from '../../rpc/registry/mdns/index.ts'
import type { Registry, Service } from '../../rpc/registry/registry.ts'
import { milliseconds, readPem } from '../connect.ts'
import { CommandError, Exit, usage } from '../failure.ts'
import { print, printJson } from '../output.ts'
import { waitingFor, withProgress } from '../progress.ts'

interface Flags {
  etcd?: string[]
  prefix?: string
  user?: string
  ca?: string
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
    .option('--user <name:password>', 'user of etcd; ETCD_USERNAME and ETCD_PASSWORD without it')
    .option('--ca <file>', 'certificates that https:// addresses of etcd trust')
    .addOption(new Option('--mdns [domain]', 'the local network, in domain dmicro or another one').conflicts(['prefix', 'user', 'ca']))
    .option('-t, --timeout <ms>', 'milliseconds to wait', milliseconds, 5_000)
    .option('--json', 'print JSON, failures too')
    .addHelpText(
      'after',
      `
Examples:
  $ dmctl registry ls --etcd 127.0.0.1:2379
  $ dmctl registry ls math --etcd https://etcd-1:2379 https://etcd-2:2379 --ca ca.pem --user reader:secret
  $ dmctl registry ls math --mdns --json`,
    )
    .action(runList)
}

async function runList(name: string | undefined, flags: Flags): Promise<void> {
  const registry = open(flags)
  try {
    const services = await withProgress(waitingFor('asking the registry'), () => list(registry, name)).catch((error) => {
      throw new CommandError(Exit.Unreachable, `the registry does not answer: ${reasonOf(error)}`)
    })
    if (flags.json) return printJson({ ok: true, services })
    const rows = services.flatMap(({ name: service, version, nodes }) => nodes.map(({ id, address }) => [service, version, address, id]))
    print(
      rows.length === 0
        ? `${name ?? 'nothing'} is ${name === undefined ? '' : 'not '}registered`
        : table([['SERVICE', 'VERSION', 'ADDRESS', 'NODE'], ...rows]),
    )
  } finally {
    await registry.close()
  }
}

/** Services with their nodes, which a list of all may leave out. */
async function list(registry: Registry, name: string | undefined): Promise<readonly Service[]> {
  if (name !== undefined) return registry.getService(name)
  const listed = await registry.listServices()
  if (listed.every(({ nodes }) => nodes.length > 0)) return listed
  const names = new Set(listed.map((service) => service.name))
  return (await Promise.all([...names].map((each) => registry.getService(each)))).flat()
}

function open({ etcd, prefix, user, ca, mdns, timeout }: Flags): Registry {
  if ((etcd === undefined) === (mdns === undefined)) throw usage('say which registry: --etcd ADDRESS or --mdns')
  try {
    if (etcd !== undefined) {
      const [, name, password] = /^([^:]*):?(.*)$/s.exec(user ?? '') ?? []
      const tls = ca === undefined ? undefined : { ca: readPem(ca) }
      return etcdRegistry({ endpoints: etcd, timeout, prefix, tls, ...(user === undefined ? undefined : { user: name, password }) })
    }
    return mdnsRegistry({ timeout: Math.min(timeout, 1_000), log: false, ...(typeof mdns === 'string' ? { domain: mdns } : undefined) })
  } catch (error) {
    throw error instanceof CommandError ? error : usage(reasonOf(error))
  }
}
