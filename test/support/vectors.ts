import { readFileSync } from 'node:fs'
import type { Message } from './proto-peer.ts'

/** A frame captured from Go (test/vectors/README.md). */
export interface Vector {
  readonly name: string
  readonly hex: string
  /** Before filters. */
  readonly payloadHex?: string
  /** False: Go does not read what it wrote as it was meant. */
  readonly goReads: boolean
  readonly quirk?: string
  readonly fields: {
    readonly filters: number[]
    readonly seq: number
    readonly type: number
    readonly serviceMethod: string
    readonly status: { code: number; msg: string; cause: string }
    readonly meta: Record<string, unknown> | null
    readonly codec: number
    readonly bodyHex: string
  }
}

/** A number that JavaScript cannot hold; its text is what meta gives. */
const BIG = /"big":([0-9]+)/g

export function readVectors<T = Vector>(protocol: string): T[] {
  const text = readFileSync(new URL(`../vectors/${protocol}.json`, import.meta.url), 'utf8')
  return JSON.parse(text.replace(BIG, '"big":"$1"'))
}

/** The message that the sender of a vector meant, as our receivers show it: values of meta are texts, or the text of other JSON. */
export function meant({ fields }: Vector): Message {
  const { seq, type, codec, filters, status } = fields
  const meta = Object.entries(fields.meta ?? {}).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)])
  return {
    ...{ type, seq, method: fields.serviceMethod, codec, filters },
    ...(status.code === 0 ? {} : { status: { code: status.code, message: status.msg, cause: status.cause } }),
    meta: Object.fromEntries(meta),
    body: Buffer.from(fields.bodyHex, 'hex'),
  }
}

/** Whether it is a message: of authentication too, which only a session that runs refuses. */
export function isMessage({ fields }: Vector): boolean {
  return fields.type >= 1 && fields.type <= 5
}
