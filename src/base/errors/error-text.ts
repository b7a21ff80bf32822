/** Errors of one failure that are told: causes, and members of an AggregateError, in all. */
const MAX_ERRORS = 16
/** UTF-16 units of one message in a line. */
const MAX_MESSAGE = 512
const FRAMES = '\n    at '

/** An error below another: its cause, or one of several. */
interface Part {
  readonly error: unknown
  readonly label: 'cause' | 'error'
  readonly depth: number
}

/**
 * What the log tells of an error of ours or the user's: what it says, what its causes and members say, each on a line, then where all of them come
 * from. Never throws.
 */
export function describe(thrown: unknown): string {
  const parts = partsOf(thrown)
  const stack = stackOf(thrown)
  if (parts.length === 0) return stack ?? headOf(thrown)
  const heads = parts.map(({ error, label, depth }) => `${'  '.repeat(depth)}${label}: ${headOf(error)}`)
  const frames = [
    framesOf(thrown),
    ...parts.map(({ error, label }) => (framesOf(error) === '' ? '' : `\n  of ${label}: ${headOf(error)}${framesOf(error)}`)),
  ]
  return `${headOf(thrown)}\n${heads.join('\n')}${frames.join('')}`
}

/** The message of an Error, the text of anything else, '' when it has none or reading it throws. Never throws. */
export function textOf(value: unknown): string {
  try {
    return value instanceof Error ? `${value.message}` : String(value)
  } catch {
    return ''
  }
}

/**
 * The same in a line, without its places: `fetch failed: connect ECONNREFUSED 127.0.0.1:1`, of several members `all failed: [one; two]`. Equal to `textOf`
 * for an error without causes. Never throws.
 */
export function reasonOf(thrown: unknown): string {
  const parts = partsOf(thrown)
  return parts.length === 0 ? textOf(thrown) : lineOf(thrown, parts, 0)
}

/** @param parts what is below it, then what is not: what is told is taken out */
function lineOf(error: unknown, parts: Part[], depth: number): string {
  const chain = [textOf(error).slice(0, MAX_MESSAGE) || codeOf(error)]
  const members: string[] = []
  while (parts.length > 0 && parts[0].depth > depth) {
    const { error: part, label } = parts.shift() as Part
    const text = lineOf(part, parts, depth + 1)
    if (text !== '') (label === 'cause' ? chain : members).push(text)
  }
  chain.push(members.length > 1 ? `[${members.join('; ')}]` : (members[0] ?? ''))
  return chain.filter((text) => text !== '').join(': ')
}

/** All below `thrown`, each once, causes before what comes behind them. */
function partsOf(thrown: unknown): Part[] {
  const parts: Part[] = []
  const seen = new Set<unknown>()
  const visit = (error: unknown, depth: number): void => {
    if (typeof error !== 'object' || error === null || seen.has(error)) return
    seen.add(error)
    for (const part of below(error, depth + 1)) {
      if (parts.length === MAX_ERRORS) return
      if (seen.has(part.error)) continue
      parts.push(part)
      visit(part.error, depth + 1)
    }
  }
  visit(thrown, 0)
  return parts
}

function below(error: object, depth: number): Part[] {
  try {
    const {
      cause,
      errors,
      suppressed,
      error: later,
    } = error as { cause?: unknown; errors?: unknown; suppressed?: unknown; error?: unknown }
    if (!isError(error)) return []
    const members = Array.isArray(errors) ? errors.slice(0, MAX_ERRORS) : suppressed === undefined ? [] : [later, suppressed]
    const parts = members.map((member): Part => ({ error: member, label: 'error', depth }))
    return cause === undefined || cause === null || cause === '' ? parts : [{ error: cause, label: 'cause', depth }, ...parts]
  } catch {
    return []
  }
}

/** Also one of another realm, as jest and `node:vm` have them. */
function isError(value: object): boolean {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
}

/** `TypeError: fetch failed`, and a code that is not in it. */
function headOf(error: unknown): string {
  const stack = stackOf(error)
  const at = stack === undefined ? -1 : stack.indexOf(FRAMES)
  const head = stack === undefined ? textOf(error) : at < 0 ? stack : stack.slice(0, at)
  const code = codeOf(error)
  return `${head.slice(0, MAX_MESSAGE)}${code === '' || head.includes(code) ? '' : ` [${code}]`}`
}

function framesOf(error: unknown): string {
  const stack = stackOf(error)
  const at = stack === undefined ? -1 : stack.indexOf(FRAMES)
  return at < 0 ? '' : (stack as string).slice(at)
}

function stackOf(error: unknown): string | undefined {
  try {
    const stack = typeof error === 'object' && error !== null && isError(error) ? (error as Error).stack : undefined
    return typeof stack === 'string' ? stack : undefined
  } catch {
    return undefined
  }
}

/** Of a system error: 'ECONNREFUSED'. */
function codeOf(error: unknown): string {
  try {
    const code = (error as { code?: unknown } | null | undefined)?.code
    return typeof code === 'string' ? code.slice(0, MAX_MESSAGE) : ''
  } catch {
    return ''
  }
}
