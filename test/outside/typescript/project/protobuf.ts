// Message classes of protobufjs as the types of bodies.
import { Endpoint, type MessageType } from 'dmicro'
import protobuf from 'protobufjs'

const root = protobuf.parse('syntax = "proto3"; message Query { int32 id = 1; } message User { string name = 1; }').root
const [Query, User] = [root.lookupType('Query'), root.lookupType('User')]
const type: MessageType = Query
const endpoint = new Endpoint()
endpoint.routeCall('/user/get', (query) => ({ name: `${query}` }), { arg: Query, result: User })
export const user = async (url: string): Promise<unknown> =>
  (await endpoint.dial(url)).call('/user/get', { id: 5 }, { codec: 'protobuf', arg: type, result: User })
