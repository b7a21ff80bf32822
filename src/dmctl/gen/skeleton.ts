import type { Model, ServiceModel } from './model.ts'
import { member, quoted } from './names.ts'

/** A service with the name that it has in the file. */
interface Imported {
  readonly service: ServiceModel
  readonly local: string
}

/** A first server for the services, to be written on by hand. */
export function serverSkeleton({ services }: Model, module: string): string {
  const hasCalls = services.some(({ methods }) => methods.some(({ kind }) => kind === 'call'))
  const imported = importedAs(services, new Set(['Endpoint', 'StatusError', 'server', 'url']))
  return `import { Endpoint${hasCalls ? ', StatusError' : ''} } from 'dmicro'
${importLine(imported, module)}

const server = new Endpoint()

${imported.map(implementation).join('\n')}
const { url } = await server.listen(process.argv[2] ?? 'tcp://127.0.0.1:9000')
console.log(url)
process.once('SIGTERM', () => server.close())
`
}

function implementation({ local, service: { methods } }: Imported): string {
  const members = methods.map((each) => {
    const parameter = each.arg === undefined ? '' : 'arg'
    if (each.kind === 'push')
      return `    ${member(each.name)}(${parameter}) {\n      console.log(${quoted(each.method.name)}${parameter === '' ? '' : ', arg'})\n    },\n`
    return `    ${member(each.name)}(${parameter === '' ? '' : '_arg'}) {\n      throw new StatusError(501, 'Not Implemented')\n    },\n`
  })
  return `server.serve(\n  ${local},\n  {\n${members.join('')}  },\n  { describe: true },\n)\n`
}

/** A first client. */
export function clientSkeleton({ services }: Model, module: string): string {
  const taken = new Set(['Endpoint', 'endpoint', 'session'])
  const imported = importedAs(services, taken)
  const uses = imported.map(({ local, service: { methods } }) => {
    const variable = free(`${local[0].toLowerCase()}${local.slice(1)}Client`, taken)
    const calls = methods.map(({ name: each, arg, kind }) => {
      const call = `${variable}.${each}(${arg === undefined ? '' : '{}'})`
      return kind === 'call' ? `// console.log(await ${call})\n` : `// await ${call}\n`
    })
    return `export const ${variable} = session.client(${local})\n${calls.join('')}`
  })
  return `import { Endpoint } from 'dmicro'
${importLine(imported, module)}

const endpoint = new Endpoint()
const session = await endpoint.dial(process.argv[2] ?? 'tcp://127.0.0.1:9000')

${uses.join('\n')}
await endpoint.close()
`
}

function importLine(imported: readonly Imported[], module: string): string {
  const names = imported.map(({ service: { name }, local }) => (local === name ? name : `${name} as ${local}`))
  return `import { ${names.join(', ')} } from ${quoted(`./${module}.js`)}`
}

/** @param taken names of the file; those of the services are added */
function importedAs(services: readonly ServiceModel[], taken: Set<string>): Imported[] {
  return services.map((service) => ({ service, local: free(service.name, taken) }))
}

/** The name, or with a `$` where it is taken. */
function free(name: string, taken: Set<string>): string {
  if (taken.has(name)) return free(`${name}$`, taken)
  taken.add(name)
  return name
}
