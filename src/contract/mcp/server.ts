import { requireObject } from '../../base/check-options.ts'
import { textOf } from '../../base/errors/error-text.ts'
import type { Described } from '../description.ts'
import { requireServices } from '../services.ts'
import { type ToolCaller, type ToolOptions, Tools } from './tools.ts'

/** Options of an MCP server. */
export interface McpOptions extends ToolOptions {
  /** Name that the server gives itself. Default: the names of the services. */
  name?: string | undefined
  /** Version that the server gives itself. Default: that of the first service. */
  version?: string | undefined
  /** Gets what of the schemas could not be said, a line each. Default: it is written to stderr. */
  onProblem?: ((text: string) => void) | undefined
}

/** An MCP server: that of the SDK, to connect to a transport of the SDK. */
export interface McpServer {
  connect(transport: unknown): Promise<void>
  close(): Promise<void>
}

/** The part of the SDK that is used. The SDK is an optional peer, and its types must not be needed to compile. */
interface Sdk {
  Server: new (info: object, options: object) => McpServer & { setRequestHandler(schema: unknown, handler: Handler): void }
  ListToolsRequestSchema: unknown
  CallToolRequestSchema: unknown
  McpError: new (code: number, message: string) => Error
}

type Handler = (request: { params: CallParams }, extra: { signal: AbortSignal }) => unknown

interface CallParams {
  name: string
  arguments?: Record<string, unknown>
  _meta?: Record<string, unknown>
}

const INVALID_PARAMS = -32_602

/**
 * Loads a part of the SDK.
 *
 * @throws Error (rejects) that names the package to install
 */
export async function loadSdk<T>(load: () => Promise<unknown>): Promise<T> {
  try {
    return (await load()) as T
  } catch (error) {
    throw new Error(`MCP needs the package @modelcontextprotocol/sdk: npm i @modelcontextprotocol/sdk (${textOf(error).split('\n', 1)[0]})`)
  }
}

/** Makes MCP servers that offer the same tools. */
export async function mcpServers(
  services: Described | readonly Described[],
  caller: ToolCaller,
  options: McpOptions = {},
): Promise<() => McpServer> {
  requireObject('options', options)
  const list = requireServices(services)
  const tools = new Tools(list, caller, options)
  const sdk: Sdk = {
    ...(await loadSdk<Pick<Sdk, 'Server'>>(() => import('@modelcontextprotocol/sdk/server/index.js'))),
    ...(await loadSdk<Omit<Sdk, 'Server'>>(() => import('@modelcontextprotocol/sdk/types.js'))),
  }
  for (const problem of tools.problems) (options.onProblem ?? console.error)(problem)
  const info = { name: options.name ?? list.map(({ name }) => name).join('-'), version: options.version ?? list[0].version }
  return () => {
    const server = new sdk.Server(info, { capabilities: { tools: {} } })
    server.setRequestHandler(sdk.ListToolsRequestSchema, () => ({ tools: tools.list }))
    server.setRequestHandler(sdk.CallToolRequestSchema, ({ params }, { signal }) => {
      if (!tools.has(params.name)) throw new sdk.McpError(INVALID_PARAMS, `no tool is named ${params.name}`)
      return tools.call(params.name, params.arguments, params._meta, signal)
    })
    return server
  }
}

/**
 * Makes an MCP server whose tools are the methods of services. It needs the package `@modelcontextprotocol/sdk`.
 *
 * @param services contracts, or the descriptions of live services
 * @param caller calls their methods: a session, an RpcClient or a MultiClient
 * @throws Error (rejects) without the package
 */
export async function mcpServer(
  services: Described | readonly Described[],
  caller: ToolCaller,
  options: McpOptions = {},
): Promise<McpServer> {
  return (await mcpServers(services, caller, options))()
}

/**
 * Serves an MCP server on stdin and stdout until stdin ends. Nothing else may write to stdout.
 *
 * @throws Error (rejects) as `mcpServer`
 */
export async function serveMcp(
  services: Described | readonly Described[],
  caller: ToolCaller,
  options: McpOptions = {},
): Promise<McpServer> {
  const server = await mcpServer(services, caller, options)
  const { StdioServerTransport } = await loadSdk<{ StdioServerTransport: new () => unknown }>(
    () => import('@modelcontextprotocol/sdk/server/stdio.js'),
  )
  await server.connect(new StdioServerTransport())
  return server
}
