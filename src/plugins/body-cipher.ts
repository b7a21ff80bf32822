import { flag, requireObject } from '../base/check-options.ts'
import { StatusError, statusText } from '../base/errors/status.ts'
import type { ReadContext, WriteContext } from '../hooks/hooks.ts'
import type { Plugin } from '../hooks/plugin.ts'

/** The differences between plugins that encrypt bodies. */
interface BodyCipher {
  readonly name: string
  /** Whether a message must be encrypted. May change its meta. A REPLY has its `request`. */
  wanted(message: WriteContext): boolean
  /**
   * Replaces the body with the encrypted bytes.
   *
   * @throws an error whose text the local caller gets as cause
   */
  seal(message: WriteContext): void
  isSealed(message: ReadContext): boolean
  /**
   * Decrypts a body.
   *
   * @returns the bytes of the body
   * @throws any error; the peer learns only that it failed
   */
  open(message: ReadContext): Uint8Array
}

/** Options of plugins that encrypt bodies. */
export interface BodyCipherOptions {
  /** Status code of messages that cannot be encrypted or decrypted. Default: 409, as in Go. */
  status?: number | undefined
  /**
   * Whether to refuse received calls, pushes and successful replies whose bodies are not encrypted. Default: false.
   */
  require?: boolean | undefined
}

/** Names of the options in `BodyCipherOptions`. */
export const cipherOptions: ReadonlySet<string> = new Set(['status', 'require'])

/**
 * Whether a message is a heartbeat, which is never encrypted: it has no content, and a peer that does not encrypt must
 * be able to send one.
 */
export function isHeartbeat(method: string, empty: boolean): boolean {
  return method === '/heartbeat' && empty
}

/** Makes the plugin around a cipher. */
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
      message.status = failed // a reply is sent although its hook throws, and would be unencrypted
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
      throw failure('the body cannot be decrypted') // one text for all, because naming the step would help an attacker
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

/**
 * Decodes standard base64 with padding.
 *
 * @throws Error for any other text
 */
export function fromBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new Error('no base64')
  return bytes
}
