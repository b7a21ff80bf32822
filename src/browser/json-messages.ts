import { MessageType } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'
import { EMPTY_META, OK_STATUS } from '../wire/raw.ts'
import { frameSize, packFrame } from '../wire/raw-pack.ts'

// The documents of `protocol: 'json'` over WebSocket, as in `websocket/json-proto.ts`.

/** @throws TypeError for a body that is no text */
export function jsonOf({ type, seq, codec, statusText, metaText, method, body }: Outgoing): string {
  const text = body === null || typeof body === 'string' ? (body ?? '') : textOf(body)
  // Without a body and a codec it would look like an error of Go's.
  const status = statusText !== '' || (codec === 0 && text === '') ? { status: statusText || OK_STATUS } : undefined
  const meta = metaText || EMPTY_META
  return JSON.stringify({ mtype: type, seq, serviceMethod: method, ...status, meta, bodyCodec: codec, body: text, ptf: [] })
}

/** The message of a document as a frame of the raw protocol; undefined when it is none. */
export function frameOf(document: Buffer): Buffer | undefined {
  try {
    const { mtype, seq = 0, serviceMethod = '', status, meta, bodyCodec = 0, body } = JSON.parse(textOf(document))
    if ((seq | 0) !== seq || (mtype & 255) !== mtype || (bodyCodec & 255) !== bodyCodec) return undefined
    const text = body ?? ''
    const told = embedded(status)
    // Go sends nothing else of an error.
    const lost = mtype === MessageType.Reply && bodyCodec === 0 && text === '' && told === ''
    const fields = [lost ? LOST : told, embedded(meta), bodyCodec, text] as const
    const name = Buffer.from(serviceMethod as string)
    const size = frameSize(seq, name, fields[0], fields[1], text)
    if (size < 0) return undefined
    // Text is written with room for three bytes each unit.
    const frame = Buffer.alloc(size)
    packFrame(frame, 0, seq, mtype, name, ...fields)
    return frame
  } catch {
    return undefined
  }
}

const LOST = '{"code":-1,"msg":"Unknown Error","cause":"the peer does not send statuses over WebSocket"}'

/** JSON within a string, or the value itself. */
function embedded(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value)
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}
