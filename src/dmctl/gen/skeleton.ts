import type { Model, ServiceModel } from './model.ts'
import { member } from './names.ts'

/** A first server for the services, to be written on by hand. */
export function serverSkeleton({ services }: Model, module: string): string {
  const names = services.map(({ name }) => name)
  const hasCalls = services.some(({ methods }) => methods.some(({ kind }) => kind === 'call'))
  return `import { Endpoint${hasCalls ? ', StatusError' : ''} } from 'dmicro'
import { ${names.join(', ')} } from './${module}.js'

const server = new Endpoint()

${services.map(implementation).join('\n')}
const { url } = await server.listen(process.argv[2] ?? 'tcp://127.0.0.1:9000')
console.log(url)
process.once('SIGTERM', () => server.close())
`
}

function implementation({ name, methods }: ServiceModel): string {
  const members = methods.map((each) => {
    const parameter = each.arg === undefined ? '' : 'arg'
    if (each.kind === 'push')
      return `    ${member(each.name)}(${parameter}) {\n      console.log('${each.method.name}'${parameter === '' ? '' : ', arg'})\n    },\n`
    return `    ${member(each.name)}(${parameter === '' ? '' : '_arg'}) {\n      throw new StatusError(501, 'Not Implemented')\n    },\n`
  })
  return `server.serve(\n  ${name},\n  {\n${members.join('')}  },\n  { describe: true },\n)\n`
}

/** A first client. */
export function clientSkeleton({ services }: Model, module: string): string {
  const names = services.map(({ name }) => name)
  const uses = services.map(({ name, methods }) => {
    const variable = `${name[0].toLowerCase()}${name.slice(1)}Client`
    const calls = methods.map(({ name: each, arg, kind }) => {
      const call = `${variable}.${each}(${arg === undefined ? '' : '{}'})`
      return kind === 'call' ? `// console.log(await ${call})\n` : `// await ${call}\n`
    })
    return `export const ${variable} = session.client(${name})\n${calls.join('')}`
  })
  return `import { Endpoint } from 'dmicro'
import { ${names.join(', ')} } from './${module}.js'

const endpoint = new Endpoint()
const session = await endpoint.dial(process.argv[2] ?? 'tcp://127.0.0.1:9000')

${uses.join('\n')}
await endpoint.close()
`
}
