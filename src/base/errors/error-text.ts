/** Most causes and members of an AggregateError that are shown of one failure, all levels together. */
const MAX_ERRORS = 16
/** Longest message in one line, in UTF-16 units. */
const MAX_MESSAGE = 512
/** Most members of a plain object that are shown, and how deep. */
const MAX_MEMBERS = 8
const MAX_DEPTH = 2
const FRAMES = '\n    at '

/** An error below another: its cause, or one of its members. */
interface Part {
  readonly error: unknown
  readonly label: 'cause' | 'error'
  readonly depth: number
}

/**
 * The log's text for an error: its message, the messages of its causes and members, each on a line, then the stack
 * frames of all of them. Never throws.
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

/**
 * The message of an Error, the first members of a plain object, the text of anything else, '' when it has none or
 * reading it throws. Never throws.
 */
export function textOf(value: unknown): string {
  try {
    return value instanceof Error ? `${value.message}` : membersOf(value, 0)
  } catch {
    return ''
  }
}

/** A plain object as its first members, and of them those that are plain objects; the text of anything else. */
function membersOf(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null || depth === MAX_DEPTH) return String(value)
  const text = String(value)
  if (text !== '[object Object]') return text
  const members: string[] = []
  for (const key in value) {
    if (members.push(`${key}: ${membersOf((value as Record<string, unknown>)[key], depth + 1).slice(0, MAX_MESSAGE)}`) === MAX_MEMBERS)
      break
  }
  return members.length === 0 ? text : `{ ${members.join(', ')} }`
}

/**
 * The messages of an error, its causes and its members in one line, without stack frames: `fetch failed: connect
 * ECONNREFUSED 127.0.0.1:1`, or with several members `all failed: [one; two]`. Equal to `textOf` for an error without
 * causes. Never throws.
 */
export function reasonOf(thrown: unknown): string {
  const parts = partsOf(thrown)
  return parts.length === 0 ? textOf(thrown) : lineOf(thrown, parts, 0)
}

/**
 * The line of `error` and of what is below it.
 * @param parts what is below `error`, then what is not; parts that become text are removed
 */
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

/** All errors below `thrown`, each once and depth first, the cause of an error before its members. */
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

/** Whether `value` is an Error. An Error of another realm counts too, as jest and `node:vm` have them. */
function isError(value: object): boolean {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
}

/** The first line of an error, such as `TypeError: fetch failed`, with its code added when the line lacks it. */
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

/** The code of a system error, such as 'ECONNREFUSED'; '' when there is none. */
function codeOf(error: unknown): string {
  try {
    const code = (error as { code?: unknown } | null | undefined)?.code
    return typeof code === 'string' ? code.slice(0, MAX_MESSAGE) : ''
  } catch {
    return ''
  }
}
