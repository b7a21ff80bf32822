import { flag, requireObject } from '../base/check-options.ts'
import { StatusError, statusText } from '../base/errors/status.ts'
import type { ReadContext, WriteContext } from '../hooks/hooks.ts'
import type { Plugin } from '../hooks/plugin.ts'

/** What plugins that encrypt bodies differ in. */
export interface BodyCipher {
  readonly name: string
  /** Whether a message is to be encrypted. May change its meta. Of a REPLY `request` is there. */
  wanted(message: WriteContext): boolean
  /** Puts the encrypted bytes in place of the body. @throws what may be told to a caller of ours */
  seal(message: WriteContext): void
  isSealed(message: ReadContext): boolean
  /** @returns the bytes of the body @throws whatever: the peer is told only that it failed */
  open(message: ReadContext): Uint8Array
}

export interface BodyCipherOptions {
  /** Status code of messages that cannot be encrypted or decrypted. Default 409, as in Go. */
  status?: number | undefined
  /** Refuses bodies that are not encrypted, of all calls and pushes that come and of all replies that are OK. Default false. */
  require?: boolean | undefined
}

/** Names of `BodyCipherOptions`. */
export const cipherOptions: ReadonlySet<string> = new Set(['status', 'require'])

/** A heartbeat has nothing to hide, and a peer that does not encrypt must be able to send one. */
export function isHeartbeat(method: string, empty: boolean): boolean {
  return method === '/heartbeat' && empty
}

/** The plugin around a cipher. */
export function bodyPlugin(cipher: BodyCipher, options: BodyCipherOptions): Plugin {
  requireObject('options', options)
  const { status = 409, require = false } = options
  if (!Number.isInteger(status) || status === 0) throw new RangeError('option status must be an integer other than 0')
  flag('require', require, false)
  const failure = (cause: string): StatusError => new StatusError(status, statusText(status), cause, { stack: false })
  const write = (message: WriteContext): void => {
    if (message.status !== undefined || !cipher.wanted(message)) return
    try {
      cipher.seal(message)
    } catch (error) {
      const failed = failure(`the body cannot be encrypted: ${error instanceof Error ? error.message : ''}`)
      if (message.kind !== 'reply') throw failed
      message.status = failed // a reply whose hook throws is sent all the same, and would be plain
    }
  }
  const read = (message: ReadContext): void => {
    if (message.status !== undefined) return
    if (!cipher.isSealed(message)) {
      if (require && !isHeartbeat(message.serviceMethod, message.bytes.length === 0)) throw failure('the body is not encrypted')
      return
    }
    try {
      message.bytes = cipher.open(message)
    } catch {
      throw failure('the body cannot be decrypted') // one text for all: which step failed would help whoever guesses
    }
  }
  return {
    name: cipher.name,
    beforeWriteCall: write,
    beforeWritePush: write,
    beforeWriteReply: write,
    beforeReadCallBody: read,
    beforeReadPushBody: read,
    beforeReadReplyBody: read,
  }
}

/** Standard base64 with padding, and nothing else. */
export function fromBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new Error('no base64')
  return bytes
}
