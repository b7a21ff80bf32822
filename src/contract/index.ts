// The entry point `dmicro/contract`.

export { type AsyncApiOptions, asyncapi } from './asyncapi.ts'
export { type Body, type BodyShape, type Input, none, type Output, type Plain, plain } from './body.ts'
export { type Change, changes } from './changes.ts'
export type { Converters } from './convert.ts'
export {
  type Described,
  type DescribeOptions,
  describe,
  type ErrorDescription,
  type GroupDescription,
  type MethodDescription,
  type ServiceDescription,
} from './description.ts'
export { DESCRIBE_ROUTE } from './description-route.ts'
export { type DeclaredStatus, declareError, type Failure, type Failures } from './failure.ts'
export { type GoOptions, golang } from './go/go.ts'
export type { JsonSchema } from './json-schema.ts'
export { listenMcp, type McpHandler, type McpHttpOptions, type McpListener, mcpHandler } from './mcp/http.ts'
export { type McpOptions, type McpServer, mcpServer, serveMcp } from './mcp/server.ts'
export type { Tool, ToolCaller, ToolOptions, ToolResult } from './mcp/tools.ts'
export {
  type CallMethod,
  type CallMethodOptions,
  call,
  type Docs,
  group,
  type Method,
  type Methods,
  type PushMethod,
  type PushMethodOptions,
  push,
} from './method.ts'
export { type OpenApiOptions, openapi } from './openapi.ts'
export { type ProtoOptions, proto } from './proto.ts'
export type { MethodRoute } from './routes.ts'
export { defineService, type Service, type ServiceOptions } from './service.ts'
export type { Caller, Client, ClientCall, ClientOptions, ClientPush, Implementation, Outcome, ServeOptions, ServiceOf } from './types.ts'
