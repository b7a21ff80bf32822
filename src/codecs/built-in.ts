import { bundled } from '../base/here.ts'
import { cborCodec } from './cbor.ts'
import type { Codec } from './codec.ts'
import { formCodec } from './form.ts'
import { jsonCodec } from './json.ts'
import { msgpackCodec } from './msgpack.ts'
import { plainCodec } from './plain.ts'
import { protobufLibrary } from './protobuf/runtime.ts'
import { protobufCodec } from './protobuf.ts'
import { redisCodec } from './redis.ts'
import { saxes } from './xml/reader.ts'
import { xmlCodec } from './xml.ts'

/** The codecs of every endpoint. */
export const codecs: readonly Codec[] = [jsonCodec, plainCodec, protobufCodec, formCodec, xmlCodec, msgpackCodec, cborCodec, redisCodec]

/**
 * Loads the modules that codecs load with their first body, where that is asynchronous: in a bundle. A module that
 * fails to load makes that body fail, not this.
 */
export async function prepareCodecs(): Promise<void> {
  if (bundled) await Promise.allSettled([saxes.prepare(), protobufLibrary.prepare()])
}
