// The entry point `dmicro/contract` of pages: contracts, and what sessions of dmicro/browser call and serve by them.
// Documents, code and tools are made of contracts where Node.js runs.
export { type Body, type Input, none, type Output, type Plain, plain } from './body.ts'
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
export type { JsonSchema } from './json-schema.ts'
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
export type { MethodRoute } from './routes.ts'
export { defineService, type Service, type ServiceOptions } from './service.ts'
export type { Caller, Client, ClientCall, ClientOptions, ClientPush, Implementation, Outcome, ServeOptions, ServiceOf } from './types.ts'
