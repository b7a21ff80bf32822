import { deprecation, docsOf } from './client.ts'
import { type GoMethod, type GoService, passed } from './methods.ts'
import { comment, listOf } from './text.ts'

/** Methods that one controller has: their routes differ in the last part alone, and all are called, or all pushed. */
interface Controller {
  /** Type that Go's router takes the route of. */
  readonly route: string
  /** Type that has the methods. */
  readonly type: string
  readonly kind: 'Call' | 'Push'
  readonly methods: GoMethod[]
}

/** The interface that a server implements, and what registers it. */
export function serverText(service: GoService): string {
  const { name, title, docs, deprecated, methods } = service
  const server = `${name}Server`
  const own = `serverOf${name}`
  const controllers = controllersOf(service)
  const signatures = methods.map((method) => `${comment(docsOf(method), '\t')}\t${signature(method)}\n`)
  const types = controllers.map(({ type, kind }) => `type ${type} struct{ drpc.${kind}Ctx }\n`)
  const registers = controllers.map(
    ({ route, type, kind }) => `\t{\n\t\ttype ${route} struct{ ${type} }\n\t\tendpoint.Route${kind}(new(${route}), plugin...)\n\t}\n`,
  )
  return [
    `${comment([`${server} serves ${title}.`, docs, deprecation(deprecated)])}type ${server} interface {\n${signatures.join('\n')}}\n`,
    `// ${own} has the server of each endpoint: Go's router makes controllers anew for each message.\nvar ${own} sync.Map\n`,
    `// Register${name} registers what serves ${title} at an endpoint, that of an RpcServer too.\n` +
      `func Register${name}(endpoint drpc.Endpoint, server ${server}, plugin ...drpc.Plugin) {\n\t${own}.Store(endpoint, server)\n${registers.join('')}}\n`,
    ...controllers.flatMap((controller, i) => [
      types[i],
      ...controller.methods.map((method) => controllerMethod(service, controller, method)),
    ]),
  ].join('\n')
}

/** Names that a package has of the server of a service. */
export function namesOfServer(service: GoService): string[] {
  const { name } = service
  return [`${name}Server`, `Register${name}`, `serverOf${name}`, ...controllersOf(service).map(({ type }) => type)]
}

function controllersOf({ name, methods }: GoService): Controller[] {
  const found = new Map<string, Controller>()
  const add = (kind: Controller['kind'], method: GoMethod): void => {
    const route = method.controller?.type ?? ''
    const key = `${kind} ${route}`
    const type = `${name.charAt(0).toLowerCase()}${name.slice(1)}${kind === 'Call' ? 'Calls' : 'Pushes'}${found.size + 1}`
    if (!found.has(key)) found.set(key, { route, type, kind, methods: [] })
    found.get(key)?.methods.push(method)
  }
  for (const method of methods) {
    const { kind, callable } = method.description
    if (kind === 'call' || callable === true) add('Call', method)
    if (kind === 'push') add('Push', method)
  }
  return [...found.values()]
}

function signature({ name, arg, result, description: { kind } }: GoMethod): string {
  const context = kind === 'call' ? 'drpc.CallCtx' : 'drpc.PushCtx'
  const parameters = `ctx ${context}${arg === undefined ? '' : `, arg ${passed(arg)}`}`
  return `${name}(${parameters}) ${result === undefined ? '*drpc.Status' : `(${passed(result)}, *drpc.Status)`}`
}

function controllerMethod({ name: service }: GoService, { type, kind }: Controller, method: GoMethod): string {
  const { name, arg, result, description, controller } = method
  const taken = arg === undefined ? '*struct{}' : `*${arg.message ?? arg.type}`
  const value = arg === undefined ? '' : arg.message !== undefined ? `, (*${arg.type})(arg)` : arg.byPointer ? ', arg' : ', *arg'
  const head = `func (c *${type}) ${controller?.method}(${arg === undefined ? '_' : 'arg'} ${taken})`
  const call = `server.${name}(c.${kind}Ctx${value})`
  const found = `\tserver := registered[${service}Server](&serverOf${service}, c.Endpoint())\n`
  if (description.kind === 'push' && kind === 'Push') return `${head} *drpc.Status {\n${found}\treturn ${call}\n}\n`
  if (result === undefined) return `${head} (any, *drpc.Status) {\n${found}\treturn nil, ${call}\n}\n`
  if (result.message !== undefined)
    return `${head} (*${result.message}, *drpc.Status) {\n${found}\tresult, stat := ${call}\n\treturn (*${result.message})(result), stat\n}\n`
  if (!result.isList) return `${head} (${passed(result)}, *drpc.Status) {\n${found}\treturn ${call}\n}\n`
  return `${head} (${result.type}, *drpc.Status) {\n${found}\tresult, stat := ${call}\n\treturn ${listOf(result.type, 'result')}, stat\n}\n`
}
