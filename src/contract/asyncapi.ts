import { Components, typeName } from './components.ts'
import type { Described, DescribeOptions, MethodDescription } from './description.ts'
import type { JsonSchema } from './json-schema.ts'
import { described, requireServices } from './services.ts'

/** Options of `asyncapi`. */
export interface AsyncApiOptions extends DescribeOptions {
  /** Title of the document. Default: the names of the services. */
  title?: string | undefined
  /** Version of the document. Default: that of the first service. */
  version?: string | undefined
  /** Addresses of servers by name, such as `{ main: 'tcp://shop:9000' }`. Default: none. */
  servers?: Readonly<Record<string, string>> | undefined
}

type Json = Record<string, unknown>

/**
 * The AsyncAPI 3.0 document of services, from the server's side: it receives the pushes of clients, and sends pushes
 * and calls to them. What clients call is in the OpenAPI document.
 *
 * @throws TypeError for schemas that JSON Schema cannot say
 */
export function asyncapi(services: Described | readonly Described[], options: AsyncApiOptions = {}): Json {
  const found = requireServices(services).map((each) => described(each, options))
  const components = new Components('#/components/schemas/')
  const channels: Record<string, Json> = {}
  const operations: Record<string, Json> = {}
  const messages: Record<string, Json> = {}
  const message = (name: string, schema: JsonSchema | null): string => {
    const payload = schema === null ? {} : { payload: components.refer(name, schema) }
    messages[name] = { name, contentType: 'application/json', ...payload }
    return `#/components/messages/${name}`
  }
  const channel = (id: string, route: string, name: string, schema: JsonSchema | null): void => {
    channels[id] = { address: route, messages: { [name]: { $ref: message(name, schema) } } }
  }
  const add = (service: string, method: MethodDescription, action: 'send' | 'receive'): void => {
    const id = `${action === 'send' ? `${service}.toClient` : service}.${method.name}`
    const name = `${typeName(service, method)}${action === 'send' ? 'ToClient' : ''}`
    channel(id, method.route, `${name}Argument`, method.arg)
    const operation: Json = { action, channel: { $ref: `#/channels/${id}` }, ...textOf(method) }
    if (method.kind === 'call') {
      channel(`${id}.reply`, method.route, `${name}Result`, method.result ?? null)
      operation.reply = { channel: { $ref: `#/channels/${id}.reply` } }
    }
    operations[id] = operation
  }
  for (const { name, methods, toClient } of found) {
    for (const method of methods) if (method.kind === 'push') add(name, method, 'receive')
    for (const method of toClient) add(name, method, 'send')
  }
  return {
    asyncapi: '3.0.0',
    info: { title: options.title ?? found.map(({ name }) => name).join(', '), version: options.version ?? found[0].version },
    defaultContentType: 'application/json',
    ...(options.servers === undefined ? undefined : { servers: serversOf(options.servers) }),
    channels,
    operations,
    components: { schemas: components.schemas, messages },
  }
}

function textOf({ docs = '', deprecated }: MethodDescription): Json {
  const [summary, ...rest] = docs.split('\n')
  const more = [rest.join('\n').trim(), deprecated === undefined ? '' : `Deprecated${deprecated === true ? '' : `: ${deprecated}`}.`]
  const description = more.filter((text) => text !== '').join('\n\n')
  return { ...(summary === '' ? undefined : { summary }), ...(description === '' ? undefined : { description }) }
}

function serversOf(servers: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(servers).map(([name, url]) => {
      const { protocol, host, pathname } = new URL(url)
      const path = pathname === '' || pathname === '/' ? undefined : { pathname }
      return [name, { host, protocol: protocol.slice(0, -1), ...path }]
    }),
  )
}
