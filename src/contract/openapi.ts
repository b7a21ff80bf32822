import { Components, typeName } from './components.ts'
import type { Described, DescribeOptions, ErrorDescription, MethodDescription, ServiceDescription } from './description.ts'
import type { JsonSchema } from './json-schema.ts'
import { described, requireServices } from './services.ts'

/** Options of `openapi`. */
export interface OpenApiOptions extends DescribeOptions {
  /**
   * Version of OpenAPI: '3.1', or '3.2', whose tags nest, so that groups of methods have tags of their own. Default:
   * '3.1', which more tools read.
   */
  openapi?: '3.1' | '3.2' | undefined
  /** Title of the document. Default: the names of the services. */
  title?: string | undefined
  /** Version of the document. Default: that of the first service. */
  version?: string | undefined
  /** Urls of servers of the http protocol. Default: none. */
  servers?: readonly string[] | undefined
  /** Whether calls need a token in the header `Authorization`: `bearer`. Default: none. */
  security?: 'bearer' | undefined
}

type Json = Record<string, unknown>

const STATUS: JsonSchema = {
  type: 'object',
  description: 'A failure.',
  properties: {
    code: { type: 'integer', format: 'int32' },
    msg: { type: 'string' },
    cause: { type: 'string', description: 'Text of the underlying error; of a declared error its details as JSON.' },
  },
  required: ['code', 'msg', 'cause'],
}

/**
 * The OpenAPI document of services, as the http protocol serves them: each call is a POST of its route, calls
 * without effects that need no argument a GET too. Pushes are there when they are `callable`.
 *
 * @throws TypeError for schemas that JSON Schema cannot say, and for services or routes that http does not reach
 */
export function openapi(services: Described | readonly Described[], options: OpenApiOptions = {}): Json {
  const found = requireServices(services).map((each) => described(each, options))
  const { openapi: version = '3.1' } = options
  if (version !== '3.1' && version !== '3.2') throw new TypeError(`option openapi must be '3.1' or '3.2', got ${JSON.stringify(version)}`)
  const components = new Components('#/components/schemas/')
  components.schemas.Status = STATUS
  const paths: Record<string, Json> = {}
  for (const service of found) {
    for (const method of service.methods) {
      if (method.kind === 'push' && method.callable !== true) continue
      if (!method.route.startsWith('/')) throw new TypeError(`http does not reach ${method.route}: it does not begin with /`)
      if (method.route in paths) throw new TypeError(`two methods have the route ${method.route}`)
      paths[method.route] = pathOf(service.name, method, components, version === '3.2' ? tagOf(service.name, method) : service.name)
    }
  }
  const listed = found.map((service) => ({ ...service, methods: service.methods.filter(({ route }) => route in paths) }))
  const [first] = found
  const docs = found.flatMap((each) => each.docs ?? [])
  return {
    openapi: `${version}.0`,
    info: {
      title: options.title ?? found.map(({ name }) => name).join(', '),
      version: options.version ?? first.version,
      ...(docs.length === 0 ? undefined : { description: docs.join('\n\n') }),
    },
    ...(options.servers === undefined ? undefined : { servers: options.servers.map((url) => ({ url })) }),
    ...(options.security === undefined ? undefined : { security: [{ bearer: [] }] }),
    tags: listed.flatMap((service) =>
      service.methods.length === 0 ? [] : [tagObject(service), ...(version === '3.2' ? groupTags(service) : [])],
    ),
    paths,
    components: {
      schemas: components.schemas,
      ...(options.security === undefined ? undefined : { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } }),
    },
  }
}

function tagObject({ name, docs: description }: ServiceDescription): Json {
  return { name, ...(description === undefined ? undefined : { description }) }
}

/** The tag of a method: that of its service and groups. */
function tagOf(service: string, { name }: MethodDescription): string {
  return [service, ...name.split('.').slice(0, -1)].join('.')
}

/** Tags of the groups of a service, each below that of the group it is in. */
function groupTags({ name, methods, groups: known = [] }: ServiceDescription): Json[] {
  const tags = new Map<string, Json>()
  const docs = new Map(known.map((group) => [group.name, group.docs]))
  for (const method of methods) {
    const groups = method.name.split('.').slice(0, -1)
    groups.forEach((summary, i) => {
      const parent = [name, ...groups.slice(0, i)].join('.')
      const description = docs.get(groups.slice(0, i + 1).join('.'))
      tags.set(`${parent}.${summary}`, {
        ...{ name: `${parent}.${summary}`, summary },
        ...(description === undefined ? undefined : { description }),
        parent,
      })
    })
  }
  return [...tags.values()]
}

function pathOf(service: string, method: MethodDescription, components: Components, tag: string): Json {
  const name = typeName(service, method)
  const body = bodyOf(method.arg, `${name}Argument`, components)
  const operation = operationOf(service, name, method, components, tag)
  const post = body === undefined ? operation : { ...operation, requestBody: { content: body, required: true } }
  if (method.safe !== true || method.arg !== null) return { post }
  return { get: { ...operation, operationId: `${operation.operationId}.get` }, post }
}

function operationOf(service: string, name: string, method: MethodDescription, components: Components, tag: string): Json {
  const { docs = '', deprecated } = method
  const [summary, ...rest] = docs.split('\n')
  const more = [rest.join('\n').trim(), typeof deprecated === 'string' ? `Deprecated: ${deprecated}` : ''].filter((text) => text !== '')
  const result = bodyOf(method.result ?? null, `${name}Result`, components)
  return {
    operationId: `${service}.${method.name}`,
    tags: [tag],
    ...(summary === '' ? undefined : { summary }),
    ...(more.length === 0 ? undefined : { description: more.join('\n\n') }),
    ...(deprecated === undefined ? undefined : { deprecated: true }),
    ...(method.since === undefined ? undefined : { 'x-since': method.since }),
    ...(method.kind === 'push' ? { 'x-one-way': true } : undefined),
    ...(method.idempotent === true ? { 'x-idempotent': true } : undefined),
    responses: {
      200: { description: result === undefined ? 'Done.' : 'The result.', ...(result === undefined ? undefined : { content: result }) },
      ...failuresOf(name, method.errors ?? [], components),
    },
  }
}

function bodyOf(schema: JsonSchema | null, name: string, components: Components): Json | undefined {
  return schema === null ? undefined : { 'application/json': { schema: components.refer(name, schema) } }
}

/** Responses of failures: the declared ones, whose codes are none of HTTP, are 500 with their status in the body. */
function failuresOf(name: string, errors: readonly ErrorDescription[], components: Components): Json {
  const status = { $ref: '#/components/schemas/Status' }
  const declared = errors.map((error) => components.refer(`${name}${error.name}`, failureSchema(error)))
  const json = (schema: unknown): Json => ({ 'application/json': { schema } })
  return {
    500: {
      description:
        errors.length === 0
          ? 'A failure.'
          : `${errors.map(({ code, message }) => `${code}: ${message}`).join('; ')}; or a failure that is not declared.`,
      content: json(declared.length === 0 ? status : { anyOf: [...declared, status] }),
    },
    default: { description: 'A failure, with the code of its status.', content: json(status) },
  }
}

function failureSchema({ name, code, message, details }: ErrorDescription): JsonSchema {
  const cause: JsonSchema =
    details === undefined ? { type: 'string' } : { type: 'string', contentMediaType: 'application/json', contentSchema: details }
  const { $defs, ...rest } = details ?? {}
  return {
    title: name,
    type: 'object',
    properties: {
      code: { const: code },
      msg: { type: 'string', examples: [message] },
      cause: details === undefined ? cause : { ...cause, contentSchema: rest },
    },
    required: ['code', 'msg', 'cause'],
    ...($defs === undefined ? undefined : { $defs }),
  }
}
