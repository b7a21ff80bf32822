/** Beginnings of an HTTP message: a response, or one of the usual methods. */
const beginnings = ['HTTP/', ...'GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT QUERY'.split(' ').map((method) => `${method} `)]

/** Whether `bytes` begin an HTTP message; undefined while there are too few. */
export function matchHttp(bytes: Uint8Array): boolean | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 8)).toString('latin1')
  if (beginnings.some((beginning) => text.startsWith(beginning))) return true
  return beginnings.some((beginning) => beginning.startsWith(text)) ? undefined : false
}
