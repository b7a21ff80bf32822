import { nodeHttp, nodeZlib } from '../../base/builtin.ts'
import { Code, statusText } from '../../base/errors/status.ts'
import { MAX_STATUS_BYTES } from '../../base/limits.ts'
import { type DecodedStatus, decodeStatus } from '../../message/status-json.ts'

/** Maximum length of another server's error page that becomes a cause. */
const MAX_PAGE = 1024

/**
 * Decodes the status of a response without a result: the one in its body, as Go and our own plain replies have it, else
 * its HTTP code and text. Never OK.
 *
 * @param status HTTP status; of 2xx only Go's 299
 */
export function responseStatus(status: number, body: Buffer, gzip: boolean): DecodedStatus {
  const text = readText(body, gzip)
  const decoded = text === undefined ? undefined : decodeStatus(text)
  if (decoded !== undefined && decoded.code !== 0) return decoded
  if (status < 300) return { code: Code.BadMessage, message: statusText(Code.BadMessage), cause: 'http: unreadable status' }
  return { code: status, message: nodeHttp().STATUS_CODES[status] ?? statusText(status), cause: text?.slice(0, MAX_PAGE) ?? '' }
}

function readText(body: Buffer, gzip: boolean): string | undefined {
  if (!gzip || body.length === 0) return body.toString('utf8', 0, Math.min(body.length, MAX_STATUS_BYTES))
  try {
    return nodeZlib().gunzipSync(body, { maxOutputLength: MAX_STATUS_BYTES }).toString()
  } catch {
    return undefined
  }
}
