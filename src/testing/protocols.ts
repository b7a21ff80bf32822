import { modules } from '../protos/built-in.ts'
import * as http from '../protos/http.ts'
import * as json from '../protos/json.ts'
import * as jsonrpc from '../protos/jsonrpc.ts'
import * as protobuf from '../protos/protobuf.ts'
import * as redis from '../protos/redis.ts'

/** To load a module takes turns of the loop that no virtual time tells, and only the first time: the same seed would not give the same run. */
export function provideProtocols(): void {
  modules.json.provide(json)
  modules.protobuf.provide(protobuf)
  modules.http.provide(http)
  modules.jsonrpc.provide(jsonrpc)
  modules.redis.provide(redis)
}
