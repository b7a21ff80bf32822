import { Deferred } from '../base/deferred.ts'
import { type RawProtocol, rawProtocol } from '../wire/raw.ts'
import { type HttpOptions, readHttpOptions } from './http/options.ts'
import type { Proto } from './proto.ts'
import { type RedisOptions, readRedisOptions } from './redis/options.ts'

/** Where the protocols are, which `Proto.prepare` loads. */
export const modules = {
  json: new Deferred(() => import('./json.ts')),
  protobuf: new Deferred(() => import('./protobuf.ts')),
  http: new Deferred(() => import('./http.ts')),
  jsonrpc: new Deferred(() => import('./jsonrpc.ts')),
  redis: new Deferred(() => import('./redis.ts')),
}

/**
 * The protocol `http` (docs/spec/wire.md#http): HTTP/1.1 for two kinds of peers.
 *
 * - DMicro peers, whose messages have an `X-Seq` header: many calls at a time in both directions, replies in any order. PUSH has no form. A
 *   service method must begin with '/'. Filters: gzip once, on the body.
 * - Any HTTP client: curl, browsers. The path is the service method of a POST, or of a GET when its route is `safe`; replies come in the order
 *   of the requests. The Content-Type says how the body is encoded: `…+json` is JSON, an unknown one 415. The reply is of the same type unless
 *   `Accept` names another known one; to a form or a text it is JSON. OK is 200, also without a result. An error has its own code if that is 400 to 599, else 500, and
 *   `{"code":..,"msg":..,"cause":..}` as its body, and one that says when to try again has `Retry-After` in seconds. Replies of 1 KiB and more
 *   go through gzip if the client takes it.
 *
 * Our calls also reach other HTTP servers, which answer in order: 2xx is a result, anything else a StatusError with that code, or with the
 * status in its body. They are told the `Host` that was dialled, unless the meta of a call names one.
 *
 * What web pages may do, and more of what is accepted and sent, is in `docs/http.md`.
 *
 * Meta are headers. Go changes the case of header names, so **every key arrives in lower case**: what was sent as `author`, `Author` or `userId`
 * is `ctx.meta.author` and `ctx.meta.userid`. Keys that the framework knows keep their spelling: `X-Accept-Body-Codec`, `X-Real-IP`,
 * `X-Secure-Body`, `X-Reply-Secure-Body`, `X-Sealed-Body`, `X-Retry-After`, `hb_`. Query parameters are meta too, in the case they have; a header of the same name wins. A header
 * that came several times has its values joined by `, `. Headers of the connection and of HTTP itself (`Host`, `User-Agent`, `Connection`,
 * ...) are never meta, those that browsers add to every request (`Accept-Language`, `Sec-*`, `Referer`, ...) are not in plain requests;
 * `Authorization`, `Cookie` and `Origin` are. A key that is no header name, or one of HTTP itself, and a value with a control character make a
 * call or reply fail.
 * @throws TypeError, RangeError for bad options
 */
export function http(options: HttpOptions = {}): Proto {
  const settings = readHttpOptions(options)
  return deferredHttp(async () => (await modules.http.load()).httpWith(settings))
}

const deferredHttp = (load: () => Promise<Proto>): Proto => ({ ...deferred(0x68, 'http', 'stream', load), bodyFilters: ['gzip'] })

/**
 * Lets redis clients call routes (RESP2 and RESP3, docs/spec/wire.md#redis). A server only: as in Go, nothing can be called or pushed over it.
 *
 * - A handler gets the arguments behind the command as `string[]`, or as `Buffer[]` with `{ arg: redisBuffers }`; a route of type `bytes` gets
 *   them as they lie in the stream. What it returns is encoded as codecs/redis.ts says; a Uint8Array is a bulk string.
 * - An error is `-` and its message, or its cause if that is empty. Clients expect a code in capitals there: a message that begins with none
 *   gets `ERR`, which Go leaves out. A command without a route is `-ERR unknown command 'x', with args beginning with: `.
 * - What clients send on their own is answered as by a redis server without data and password, where no route has its name (`setUnknownCall` does not get it): PING, ECHO, SELECT 0, AUTH, HELLO,
 *   RESET, INFO, and CLIENT and COMMAND with most of what they do. After `HELLO 3` null is `_` and an object a map; everything else is the same in
 *   RESP2 and RESP3.
 * - Commands may be pipelined, which Go loses; replies come in their order (docs/spec/go-defects.md W21).
 * - `QUIT` is answered here. Words typed as a line are split at white space and not unquoted. A first line with control characters, or that is no
 *   UTF-8, closes the connection.
 */
export function redis(options: RedisOptions = {}): Proto {
  const prefix = readRedisOptions(options)
  return deferred(0x72, 'redis', 'stream', async () => (await modules.redis.load()).redisWith(prefix))
}

export const builtIn: readonly (Proto | RawProtocol)[] = [
  rawProtocol,
  deferred(0x6a, 'json', 'envelope', async () => (await modules.json.load()).jsonProto),
  deferred(0x70, 'protobuf', 'envelope', async () => (await modules.protobuf.load()).protobufProto),
  deferredHttp(async () => (await modules.http.load()).http()),
  deferred(3, 'jsonrpc', 'stream', async () => (await modules.jsonrpc.load()).jsonrpcProto),
  redis(),
]

/** A protocol that `load` makes, once; `prepare` waits for it. */
function deferred(id: number, name: string, framing: Proto['framing'], load: () => Promise<Proto>): Proto {
  let loaded: Proto | undefined
  const ready = (): Proto => {
    if (loaded === undefined) throw new Error(`protocol ${name} is not loaded: prepare comes first`)
    return loaded
  }
  return {
    id,
    name,
    framing,
    match: (bytes, limits) => ready().match?.(bytes, limits),
    open: (link) => ready().open(link),
    async prepare() {
      const proto = loaded ?? (await load())
      await proto.prepare?.()
      loaded ??= proto
    },
  }
}
