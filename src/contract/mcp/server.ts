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
  /** Serves the client at the other end of a transport of the SDK. Rejects when the transport cannot start. */
  connect(transport: unknown): Promise<void>
  /** Closes the transport. */
  close(): Promise<void>
}

/** The part of the SDK that is used. The SDK is an optional peer, and its types must not be needed to compile. */
interface Sdk {
  Server: new (info: object, options: object) => McpServer & { setRequestHandler(method: string, handler: Handler): void }
  ProtocolError: new (code: number, message: string) => Error
  createMcpHandler(make: () => McpServer, options: object): { fetch(request: Request): Promise<Response> }
}

type Handler = (request: { params: CallParams }, context: { mcpReq: { signal: AbortSignal } }) => unknown

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
async function loadSdk<T>(load: () => Promise<unknown>): Promise<T> {
  try {
    return (await load()) as T
  } catch (error) {
    const [reason] = textOf(error).split('\n', 1)
    throw new Error(`MCP needs the package @modelcontextprotocol/server: npm i @modelcontextprotocol/server (${reason})`)
  }
}

/** The SDK, and what makes servers that offer the same tools. */
export async function mcpServers(
  services: Described | readonly Described[],
  caller: ToolCaller,
  options: McpOptions = {},
): Promise<{ sdk: Sdk; make: () => McpServer }> {
  requireObject('options', options)
  const list = requireServices(services)
  const tools = new Tools(list, caller, options)
  const sdk = await loadSdk<Sdk>(() => import('@modelcontextprotocol/server'))
  for (const problem of tools.problems) (options.onProblem ?? console.error)(problem)
  const info = { name: options.name ?? list.map(({ name }) => name).join('-'), version: options.version ?? list[0].version }
  const make = (): McpServer => {
    const server = new sdk.Server(info, { capabilities: { tools: {} } })
    server.setRequestHandler('tools/list', () => ({ tools: tools.list }))
    server.setRequestHandler('tools/call', ({ params }, { mcpReq }) => {
      if (!tools.has(params.name)) throw new sdk.ProtocolError(INVALID_PARAMS, `no tool is named ${params.name}`)
      return tools.call(params.name, params.arguments, params._meta, mcpReq.signal)
    })
    return server
  }
  return { sdk, make }
}

/**
 * Makes an MCP server whose tools are the methods of services. It needs the package `@modelcontextprotocol/server`.
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
  return (await mcpServers(services, caller, options)).make()
}

/**
 * Serves MCP on stdin and stdout until stdin ends. Nothing else may write to stdout.
 *
 * @throws Error (rejects) as `mcpServer`
 */
export async function serveMcp(
  services: Described | readonly Described[],
  caller: ToolCaller,
  options: McpOptions = {},
): Promise<{ close(): Promise<void> }> {
  const { make } = await mcpServers(services, caller, options)
  const { serveStdio } = await loadSdk<{ serveStdio(make: () => McpServer): { close(): Promise<void> } }>(
    () => import('@modelcontextprotocol/server/stdio'),
  )
  return serveStdio(make)
}
