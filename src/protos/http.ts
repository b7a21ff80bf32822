import { ContentTypes } from './http/content-type.ts'
import { Hosts } from './http/hosts.ts'
import { prepareLlhttp } from './http/llhttp.ts'
import { matchHttp } from './http/match.ts'
import { type HttpOptions, type HttpSettings, readHttpOptions } from './http/options.ts'
import { HttpSession } from './http/session.ts'
import { Writer } from './http/write.ts'
import type { Proto } from './proto.ts'

export type { HttpOptions }

/**
 * Makes the protocol `http`, which built-in.ts describes.
 *
 * @throws TypeError or RangeError for bad options
 */
export function http(options: HttpOptions = {}): Proto {
  return httpWith(readHttpOptions(options))
}

export function httpWith({ contentTypes, pages, host, idleTimeout }: HttpSettings): Proto {
  const types = new ContentTypes(contentTypes)
  const hosts = host ? new Hosts() : undefined
  const writer = new Writer(types)
  return {
    id: 0x68,
    name: 'http',
    framing: 'stream',
    bodyFilters: ['gzip'],
    match: matchHttp,
    prepare: prepareLlhttp,
    open: (link) => new HttpSession(link, types, writer, pages, hosts, idleTimeout),
  }
}
