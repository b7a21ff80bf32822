import type { ErrorDescription } from '../description.ts'
import { type GoMethod, type GoService, passed } from './methods.ts'
import { comment, listOf, quoted } from './text.ts'
import type { GoBody } from './types.ts'

/** The client of a service. */
export function clientText({ name, title, docs, deprecated, methods }: GoService): string {
  const client = `${name}Client`
  return [
    `${comment([`${client} calls ${title}.`, docs, deprecation(deprecated)])}type ${client} struct {\n\tcaller Caller\n}\n`,
    `// New${client} makes a client of a session, an RpcClient or a MultiClient.\nfunc New${client}(caller Caller) *${client} {\n\treturn &${client}{caller}\n}\n`,
    ...methods.map((method) => methodText(client, method)),
  ].join('\n')
}

function methodText(client: string, method: GoMethod): string {
  const { name, description, arg, result, codec } = method
  const head = `${comment(docsOf(method))}func (c *${client}) ${name}(`
  const parameters = `${arg === undefined ? '' : `arg ${passed(arg)}, `}setting ...message.MsgSetting`
  const given =
    arg === undefined ? 'nil' : arg.message !== undefined ? `(*${arg.message})(arg)` : arg.isList ? listOf(arg.type, 'arg') : 'arg'
  const settings = `with(${quoted(codec)}, setting)...`
  const route = quoted(description.route)
  if (description.kind === 'push')
    return `${head}${parameters}) *drpc.Status {\n\treturn c.caller.Push(${route}, ${given}, ${settings})\n}\n`
  const call = (into: string): string => `c.caller.Call(${route}, ${given}, ${into}, ${settings}).Status()`
  if (result === undefined) return `${head}${parameters}) *drpc.Status {\n\treturn ${call('nil')}\n}\n`
  const target = result.message === undefined ? '&result' : `(*${result.message})(&result)`
  const nothing = result.byPointer ? 'nil' : zeroOf(result.type)
  return (
    `${head}${parameters}) (${passed(result)}, *drpc.Status) {\n\tvar result ${result.type}\n` +
    `\tif stat := ${call(target)}; !stat.OK() {\n\t\treturn ${nothing}, stat\n\t}\n\treturn ${result.byPointer ? '&result' : 'result'}, nil\n}\n`
  )
}

function zeroOf(type: string): string {
  if (/^(\[|map\[|\*|any$)/.test(type)) return 'nil'
  if (type === 'bool') return 'false'
  if (type === 'string') return '""'
  return /^(u?int|float)(32|64)$/.test(type) ? '0' : '""' // an enumeration of texts
}

/** The paragraphs that tell of a method. */
export function docsOf({ description }: GoMethod): (string | undefined)[] {
  const { docs, kind, route, since, errors = [], idempotent, deprecated } = description
  const facts = [
    `${kind === 'call' ? 'CALL' : 'PUSH'} ${route}`,
    errors.length === 0 ? '' : `Errors: ${errors.map(({ code, name: each }) => `${each} (${code})`).join(', ')}.`,
    idempotent === true ? 'Calling it twice does no harm.' : '',
    since === undefined ? '' : `Since ${since}.`,
  ]
  return [docs, facts.filter((each) => each !== '').join('\n'), deprecation(deprecated)]
}

export function deprecation(deprecated: boolean | string | undefined): string {
  if (deprecated === undefined || deprecated === false) return ''
  return `Deprecated: ${deprecated === true ? 'do not use.' : deprecated}`
}

/** A declared error: its code, a function that makes it, and one that recognizes it. */
export function errorText(names: { code: string; make: string; as: string }, error: ErrorDescription, body: GoBody | undefined): string {
  const { code, message } = error
  if (code !== (code | 0)) throw new TypeError(`error ${error.name} must have an int32 as its code, got ${JSON.stringify(code)}`)
  const details = body?.type
  const constant = `${comment([`${names.code} is the code of the error ${error.name}: ${message}`])}const ${names.code} int32 = ${code}\n`
  if (details === undefined)
    return (
      `${constant}\n// ${names.make} makes the error.\nfunc ${names.make}() *drpc.Status {\n\treturn drpc.NewStatus(${names.code}, ${quoted(message)}, "")\n}\n\n` +
      `// ${names.as} tells whether a status is this error.\nfunc ${names.as}(stat *drpc.Status) bool {\n\treturn stat.Code() == ${names.code}\n}\n`
    )
  return (
    `${constant}\n// ${names.make} makes the error. Details travel as JSON in its cause.\nfunc ${names.make}(details ${details}) *drpc.Status {\n` +
    `\tcause, err := json.Marshal(${body?.isList ? listOf(body.type, 'details') : 'details'})\n\tif err != nil {\n\t\treturn drpc.NewStatus(${names.code}, ${quoted(message)}, err.Error())\n\t}\n` +
    `\treturn drpc.NewStatus(${names.code}, ${quoted(message)}, string(cause))\n}\n\n` +
    `// ${names.as} tells whether a status is this error, and its details.\nfunc ${names.as}(stat *drpc.Status) (details ${details}, ok bool) {\n` +
    `\tif stat.Code() != ${names.code} || stat.Cause() == nil {\n\t\treturn details, false\n\t}\n\terr := json.Unmarshal([]byte(stat.Cause().Error()), &details)\n\treturn details, err == nil\n}\n`
  )
}
