import assert from 'node:assert/strict'
import { StatusError } from '../../../src/index.ts'
import { BenchmarkMessage } from '../../protobuf/messages.ts'
import type { NodeContext } from './check.ts'

/** Codec ids on the wire. */
export const jsonId = 0x6a
export const plainId = 0x73
export const protobufId = 0x70
export const formId = 0x66
export const xmlId = 0x78

export const protobuf = { codec: 'protobuf', arg: BenchmarkMessage, result: BenchmarkMessage } as const
export const toObject = (message: object): object => BenchmarkMessage.toObject(message as never, { longs: BigInt })

/** Lists of transfer filters, outermost first, as `go/checks_filter.go` has them, for the protocols with all filters. */
export const pipes = ['gzip', 'md5', 'aes', 'gzip md5', 'md5 gzip', 'gzip aes', 'aes gzip', 'md5 aes', 'gzip gzip', 'gzip md5 aes gzip']

/** What encoders like to escape, drop or split. */
export const awkward = 'héllo 世界 😀 <b>&</b> "quoted" back\\slash \n\t\x1b[31m \u00a0\u2028\ufeff'

/** ESC is nothing XML could hold. */
export const awkwardXml = awkward.replace('\x1b', ']]>')

/** Exactly 1 MiB of UTF-8 that mixes one-byte and three-byte characters, so that some character straddles every buffer edge. */
export const mebibyte = (() => {
  const unit = '0123456789 abc 世界\n'
  const units = Math.floor(2 ** 20 / Buffer.byteLength(unit))
  return unit.repeat(units) + '.'.repeat(2 ** 20 - units * Buffer.byteLength(unit))
})()

/** Compares long texts without printing them. */
export function same(got: string, want: string): boolean {
  return got === want
}

/** Looks a name up in any case: http rewrites it. */
export function folded<V>(map: Readonly<Record<string, V>>, name: string): V | undefined {
  return Object.entries(map).find(([key]) => key.toLowerCase() === name)?.[1]
}

export async function fails(
  { session, protocol }: NodeContext,
  method: string,
  arg: unknown,
  code: number,
  message: string,
  cause: string,
  filters: string[] = [],
): Promise<void> {
  await assert.rejects(session.call(method, arg, { filters }), (error) => {
    assert.ok(error instanceof StatusError)
    assert.deepEqual([error.code, error.message], [code, message])
    // jsonrpc does not transmit a cause (W10).
    if (protocol !== 'jsonrpc') assert.equal(error.cause, cause)
    return true
  })
}
