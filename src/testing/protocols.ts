import { modules } from '../protos/built-in.ts'
import * as connection from '../protos/connection/module.ts'
import * as http from '../protos/http.ts'
import * as json from '../protos/json.ts'
import * as jsonrpc from '../protos/jsonrpc.ts'
import { connections } from '../protos/prepare.ts'
import * as protobuf from '../protos/protobuf.ts'
import * as redis from '../protos/redis.ts'

/**
 * Loads all protocols before a network runs. Otherwise the first use of each would take turns of the loop outside of
 * virtual time, and a second run with the same seed would differ from the first.
 */
export function provideProtocols(): void {
  connections.provide(connection)
  modules.json.provide(json)
  modules.protobuf.provide(protobuf)
  modules.http.provide(http)
  modules.jsonrpc.provide(jsonrpc)
  modules.redis.provide(redis)
}
