// Stands in for `codecs/built-in.ts` and `protos/proto-table.ts`: what a page has of each.
import type { Codec } from '../../codecs/codec.ts'
import { jsonCodec } from '../../codecs/json.ts'
import { plainCodec } from '../../codecs/plain.ts'
import { rawProtocol } from '../../wire/raw.ts'

export const codecs: readonly Codec[] = [jsonCodec, plainCodec]

export async function prepareCodecs(): Promise<void> {}

/** Read and written by `PageConnection`. */
const protocols = [rawProtocol, { ...rawProtocol, id: 0x6a, name: 'json' }]

export function makeProtocols(): { byName(name: string): object } {
  return {
    byName(name) {
      const found = protocols.find((protocol) => protocol.name === name)
      if (found === undefined) throw new TypeError(`no protocol of pages is named ${JSON.stringify(name)}`)
      return found
    },
  }
}
