import { StatusError } from '../../base/errors/status.ts'
import type { CallOptions } from '../../message/call-options.ts'
import type { Described, DescribeOptions, MethodDescription, ServiceDescription } from '../description.ts'
import type { JsonSchema } from '../json-schema.ts'
import { described, requireServices } from '../services.ts'
import type { Caller } from '../types.ts'
import { isSound } from './sound.ts'
import { objectSchema, withoutPatterns } from './tool-schema.ts'

/** Calls the methods of the tools: a session, an RpcClient or a MultiClient. */
export type ToolCaller = Pick<Caller, 'call' | 'push'>

/** Options of tools out of a contract. */
export interface ToolOptions extends Pick<DescribeOptions, 'converters'> {
  /** Which methods are tools. Default: all but deprecated ones. */
  include?: ((method: MethodDescription, service: ServiceDescription) => boolean) | undefined
  /** Milliseconds that a call may take. Default: the method's, else that of the caller's endpoint. */
  timeout?: number | undefined
}

/** A tool as the protocol lists it. */
export interface Tool {
  /** Names of service and method, joined by `_`: at most 64 characters, and unique among the tools of a server. */
  name: string
  /** Text of the method's docs, with what is deprecated, its errors, and what its schema lacks. */
  description: string
  /** Schema of the arguments, an object; an argument that is no object is its property `value`. */
  inputSchema: JsonSchema
  /**
   * Schema of `structuredContent`, an object; a result that is no object is its property `result`. Absent where
   * there is no result, or its schema cannot be said in full.
   */
  outputSchema?: JsonSchema
  /** Whether calling has no effects, and whether calling twice does no harm. */
  annotations: { readOnlyHint: boolean; idempotentHint: boolean }
}

/** The answer of a tool. */
export interface ToolResult {
  /** The result as JSON, or the text of the failure. */
  content: { type: 'text'; text: string }[]
  /** The result as `outputSchema` describes it; absent where the tool has none, and for failures. */
  structuredContent?: Record<string, unknown>
  /** Whether the call failed; absent for no. */
  isError?: true
}

interface Entry {
  tool: Tool
  method: MethodDescription
  /** Whether the argument, and the result, are wrapped, because tools take and answer objects alone. */
  wrapsArg: boolean
  wrapsResult: boolean
}

/** Longest name of a tool that clients take. */
const MAX_NAME = 64
/** Keys of a request's `_meta` that are handed on as meta of the call. */
const TRACE_KEYS = ['traceparent', 'tracestate', 'baggage']

/**
 * The methods of services as tools. A schema that JSON Schema cannot say leaves its own tool with an open one, and the
 * others as they are.
 */
export class Tools {
  readonly list: Tool[] = []
  /** Parts of schemas that could not be said, by tool. */
  readonly problems: string[] = []
  readonly #entries = new Map<string, Entry>()
  readonly #caller: ToolCaller
  readonly #timeout: number | undefined

  constructor(services: Described | readonly Described[], caller: ToolCaller, options: ToolOptions = {}) {
    this.#caller = caller
    this.#timeout = options.timeout
    const include = options.include ?? ((method) => method.deprecated === undefined)
    for (const each of requireServices(services)) {
      const service = described(each, { converters: options.converters, unknown: 'open' })
      for (const method of service.methods) if (include(method, service)) this.#add(service, method)
    }
  }

  #add(service: ServiceDescription, method: MethodDescription): void {
    const name = this.#nameOf(service, method)
    const problems = service.problems.filter((problem) => problem.startsWith(`${method.name}, `))
    this.problems.push(...problems.map((problem) => `${name}: ${problem}`))
    const arg = objectSchema(method.arg, 'value')
    const result = method.result === null || method.result === undefined ? undefined : objectSchema(method.result, 'result')
    const isSaid = !problems.some((problem) => problem.startsWith(`${method.name}, argument`))
    const sides = { argument: arg, result }
    for (const [side, each] of Object.entries(sides))
      if (each !== undefined && !isSound(each.schema)) this.problems.push(`${name}: the schema of its ${side} is none of JSON Schema`)
    const tool: Tool = {
      name,
      description: descriptionOf(service, method, problems),
      inputSchema: isSaid && isSound(arg.schema) ? arg.schema : { type: 'object' },
      annotations: { readOnlyHint: method.safe === true, idempotentHint: method.idempotent === true || method.safe === true },
    }
    // One schema that a client cannot compile costs it all tools, so a doubtful one is left out.
    if (result !== undefined && problems.length === 0 && isSound(result.schema)) tool.outputSchema = withoutPatterns(result.schema)
    this.list.push(tool)
    this.#entries.set(name, { tool, method, wrapsArg: arg.wrapped, wrapsResult: result?.wrapped === true })
  }

  #nameOf(service: ServiceDescription, method: MethodDescription): string {
    const full = `${service.name}_${method.name.replaceAll('.', '_')}`.slice(0, MAX_NAME)
    let name = full
    for (let i = 2; this.#entries.has(name); i++) name = `${full.slice(0, MAX_NAME - 4)}_${i}`
    return name
  }

  has(name: string): boolean {
    return this.#entries.has(name)
  }

  /**
   * Calls a tool. A failure of the call is an answer, so that the agent can read it.
   *
   * @param meta the `_meta` of the request, whose trace goes on in the call
   */
  async call(
    name: string,
    args: Record<string, unknown> = {},
    meta: Record<string, unknown> = {},
    signal?: AbortSignal,
  ): Promise<ToolResult> {
    const { method, tool, wrapsArg, wrapsResult } = this.#entries.get(name) as Entry
    const arg = method.arg === null ? undefined : wrapsArg && tool.inputSchema.properties?.value !== undefined ? args.value : args
    const trace = TRACE_KEYS.filter((key) => typeof meta[key] === 'string').map((key) => [key, meta[key] as string])
    const options: CallOptions = trace.length === 0 ? {} : { meta: Object.fromEntries(trace) as Record<string, string> }
    try {
      if (method.kind === 'push') {
        await this.#caller.push(method.route, arg, options as never)
        return { content: [{ type: 'text', text: 'sent' }] }
      }
      if (signal !== undefined) options.signal = signal
      if (this.#timeout !== undefined) options.timeout = this.#timeout
      if (method.idempotent === true) options.idempotent = true
      const value: unknown = await this.#caller.call(method.route, arg, options)
      const text = value === undefined ? 'done' : JSON.stringify(value)
      const content = [{ type: 'text' as const, text }]
      if (tool.outputSchema === undefined) return { content }
      return { content, structuredContent: (wrapsResult ? { result: value } : value) as Record<string, unknown> }
    } catch (error) {
      return { content: [{ type: 'text', text: failureText(error, method) }], isError: true }
    }
  }
}

function descriptionOf(service: ServiceDescription, method: MethodDescription, problems: readonly string[]): string {
  const { docs, deprecated, errors = [] } = method
  const texts = [
    docs ?? `${method.kind === 'call' ? 'Calls' : 'Sends'} ${method.name} of ${service.name}.`,
    deprecated === undefined ? '' : `Deprecated${deprecated === true ? '' : `: ${deprecated}`}.`,
    errors.length === 0 ? '' : `Errors: ${errors.map(({ code, name, message }) => `${code} ${name} (${message})`).join(', ')}.`,
    problems.length === 0 ? '' : `Its schema is incomplete: ${problems.join('; ')}.`,
  ]
  return texts.filter((text) => text !== '').join('\n')
}

function failureText(error: unknown, { errors = [] }: MethodDescription): string {
  if (!(error instanceof StatusError)) return String(error)
  const name = errors.find(({ code }) => code === error.code)?.name
  return `${error.code}${name === undefined ? '' : ` ${name}`}: ${error.message}${error.cause === '' ? '' : ` (${error.cause})`}`
}
