// How a peer program ends when it must: one line on stderr, and a code.

export const FAILED = 1
export const USAGE = 2

/**
 * @param {unknown} error an Error or a text
 * @returns {never}
 */
export function fail(error, code = FAILED) {
  process.stderr.write(`${textOf(error).split('\n')[0]}\n`)
  process.exit(code)
}

function textOf(error) {
  if (!(error instanceof Error)) return String(error)
  const text = error.message || error.name
  return error.cause === undefined || error.cause === '' ? text : `${text}: ${textOf(error.cause)}`
}

/** Nothing that a library throws past us becomes a stack trace. */
export function failOnAnyError() {
  process.on('uncaughtException', (error) => fail(error))
}
