import { Deferred } from '../base/deferred.ts'
import { type RawProtocol, rawProtocol } from '../wire/raw.ts'
import { type HttpOptions, readHttpOptions } from './http/options.ts'
import type { Proto } from './proto.ts'
import { type RedisOptions, readRedisOptions } from './redis/options.ts'

/** The modules of the protocols, which `Proto.prepare` loads. */
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
 * - DMicro peers, whose messages have an `X-Seq` header: many calls at a time in both directions, replies in any
 *   order. There is no PUSH. A service method must begin with '/'. Filters: gzip once, on the body.
 * - Any HTTP client: curl, browsers. The path is the service method of a POST, or of a GET when its route is `safe`;
 *   replies are sent in the order of the requests. The Content-Type names the codec of the body: `…+json` is JSON, an
 *   unknown one is a 415. The reply is of the same type unless `Accept` names another known one; the reply to a form or
 *   a text is JSON. OK is 200, also without a result. An error has its own code if that is 400 to 599, else 500, and
 *   the body `{"code":..,"msg":..,"cause":..}`; an error with `retryAfter` has `Retry-After` in seconds. Replies of 1
 *   KiB and more are compressed with gzip if the client accepts that.
 *
 * Our calls also reach other HTTP servers, which answer in order: 2xx is a result, anything else a StatusError with
 * that code, or with the status in its body. They get the dialled `Host`, unless the meta of a call names one.
 *
 * `docs/http.md` says what web pages may do, and more about what is accepted and sent.
 *
 * Meta are headers. Go changes the case of header names, so **every key arrives in lower case**: a key sent as
 * `author`, `Author` or `userId` is `ctx.meta.author` and `ctx.meta.userid`. Keys of the framework keep their spelling:
 * `X-Accept-Body-Codec`, `X-Real-IP`, `X-Secure-Body`, `X-Reply-Secure-Body`, `X-Sealed-Body`, `X-Retry-After`, `hb_`.
 * Query parameters are meta too, in their own case; a header with the same name wins. Repeated headers have their
 * values joined by `, `. Headers of the connection and of HTTP itself (`Host`, `User-Agent`, `Connection`, ...) are
 * never meta; those that browsers add to every request (`Accept-Language`, `Sec-*`, `Referer`, ...) are not in plain
 * requests; `Authorization`, `Cookie` and `Origin` are. A call or reply fails when a key is no header name or one of
 * HTTP itself, or a value has a control character.
 *
 * @throws TypeError or RangeError for bad options
 */
export function http(options: HttpOptions = {}): Proto {
  const settings = readHttpOptions(options)
  return deferredHttp(async () => (await modules.http.load()).httpWith(settings))
}

function deferredHttp(load: () => Promise<Proto>): Proto {
  return { ...deferred(0x68, 'http', 'stream', load), bodyFilters: ['gzip'] }
}

/**
 * Lets redis clients call routes (RESP2 and RESP3, docs/spec/wire.md#redis). Server only: as in Go, this side can
 * neither call nor push with it.
 *
 * - A handler gets the arguments after the command as `string[]`, or as `Buffer[]` with `{ arg: redisBuffers }`; a
 *   route of type `bytes` gets them as they lie in the stream. Its result is encoded by codecs/redis.ts; a Uint8Array
 *   is a bulk string.
 * - An error is `-` and its message, or its cause if that is empty. Clients expect it to begin with a code in
 *   capitals: a message without one gets `ERR`, which Go omits. A command without a route is `-ERR unknown command 'x',
 *   with args beginning with: `.
 * - Commands that clients send on their own are answered as by a redis server without data and password, unless a
 *   route has the name (`setUnknownCall` does not get them): PING, ECHO, SELECT 0, AUTH, HELLO, RESET, INFO, and CLIENT
 *   and COMMAND with most of their subcommands. After `HELLO 3` null is `_` and an object a map; the rest is the same
 *   in RESP2 and RESP3.
 * - Commands may be pipelined, which Go loses; replies are sent in order (docs/spec/go-defects.md W21).
 * - `QUIT` closes the connection. Words typed as a line are split at white space and not unquoted. A first line with
 *   control characters, or that is no UTF-8, closes the connection.
 *
 * @throws TypeError for bad options
 */
export function redis(options: RedisOptions = {}): Proto {
  const prefix = readRedisOptions(options)
  return deferred(0x72, 'redis', 'stream', async () => (await modules.redis.load()).redisWith(prefix))
}

/** The protocols of every endpoint. */
export const builtIn: readonly (Proto | RawProtocol)[] = [
  rawProtocol,
  deferred(0x6a, 'json', 'envelope', async () => (await modules.json.load()).jsonProto),
  deferred(0x70, 'protobuf', 'envelope', async () => (await modules.protobuf.load()).protobufProto),
  deferredHttp(async () => (await modules.http.load()).http()),
  deferred(3, 'jsonrpc', 'stream', async () => (await modules.jsonrpc.load()).jsonrpcProto),
  redis(),
]

/** Makes a protocol that `prepare` loads: nobody calls `match` and `open` before that. */
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
