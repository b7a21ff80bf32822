import { aesGcm, brotli, type Filter, insecureAes } from '../../src/index.ts'

/** Keys of `aesGcm`. */
export const keys = { keys: { 1: Buffer.alloc(32, 1) }, current: 1 }

/** Filters of one endpoint: aes-gcm counts what it sends. */
export const every = (): Filter[] => [insecureAes('1234567890123456'), aesGcm(keys), brotli()]
