import { isRecord, kindOf, represented } from '../record.ts'
import { scalarElement, scalarText } from './scalars.ts'

/** Deepest nesting that is written; circles end here too. Writing recurses, so the stack needs a bound. */
const MAX_DEPTH = 1000

/**
 * The text of `body`, without XML header or indentation.
 * @throws TypeError for values without an XML form
 * @throws RangeError for too deep nesting and for BigInts of more than 64 bits
 */
export function writeXml(body: unknown): string {
  const value = represented(body, '')
  if (value === null) return ''
  const scalar = scalarElement(value)
  if (scalar !== undefined) return element(scalar, value, 0)
  if (!isRecord(value)) throw new TypeError(`xml cannot encode ${kindOf(value)}`)
  const roots = membersOf(value)
  if (roots.length !== 1 || Array.isArray(roots[0][1])) {
    throw new TypeError(`xml: the object must have one key, its root element, and has ${roots.length === 1 ? 'a list' : roots.length}`)
  }
  return element(...roots[0], 0)
}

/** The members of an object as they are written, without undefined ones. */
function membersOf(value: Readonly<Record<string, unknown>>): [name: string, value: unknown][] {
  const members = Object.keys(value).map((key): [string, unknown] => [key, represented(value[key], key)])
  return members.filter(([, member]) => member !== undefined)
}

/** @param value the value after `represented`, that is the result of its `toJSON` where it has one */
function element(name: string, value: unknown, depth: number): string {
  requireName(name)
  if (depth > MAX_DEPTH) throw new RangeError(`xml: nests deeper than ${MAX_DEPTH}, or in a circle`)
  if (value === null || value === undefined) return `<${name}></${name}>`
  const text = scalarText(value)
  if (text !== undefined) return `<${name}>${escapeText(text)}</${name}>`
  if (!isRecord(value)) throw new TypeError(`xml: element ${name} cannot be ${kindOf(value)}`)
  let attributes = ''
  let content = ''
  for (const [key, member] of membersOf(value)) {
    if (key.startsWith('@')) attributes += attribute(key.slice(1), member)
    else if (key === '#text') content += escapeText(requireText(name, member))
    else if (Array.isArray(member)) for (const [i, item] of member.entries()) content += element(key, represented(item, i), depth + 1)
    else content += element(key, member, depth + 1)
  }
  return `<${name}${attributes}>${content}</${name}>`
}

function attribute(name: string, value: unknown): string {
  requireName(name)
  return value === null ? '' : ` ${name}="${escapeText(requireText(name, value))}"`
}

function requireText(name: string, value: unknown): string {
  const text = scalarText(value)
  if (text === undefined) throw new TypeError(`xml: the text of ${name} cannot be ${kindOf(value)}`)
  return text
}

/**
 * Checks a name against XML 1.0, so that no key can break out of its tag.
 * @throws TypeError
 */
function requireName(name: string): void {
  if (!namePattern.test(name)) throw new TypeError(`xml: ${JSON.stringify(name.slice(0, 64))} is no name`)
}

const namePattern =
  /^[:A-Z_a-z\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{2FF}\u{370}-\u{37D}\u{37F}-\u{1FFF}\u{200C}-\u{200D}\u{2070}-\u{218F}\u{2C00}-\u{2FEF}\u{3001}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFFD}\u{10000}-\u{EFFFF}][:A-Z_a-z\-.0-9\u{B7}\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{37D}\u{37F}-\u{1FFF}\u{200C}-\u{200D}\u{203F}-\u{2040}\u{2070}-\u{218F}\u{2C00}-\u{2FEF}\u{3001}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFFD}\u{10000}-\u{EFFFF}]*$/u

/** Go's xml.EscapeText: characters that XML does not allow, lone surrogates among them, become U+FFFD. */
function escapeText(text: string): string {
  return text.replace(special, (mark) => escapes.get(mark) ?? '\ufffd')
}

const special = /["'&<>\t\n\r]|[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu

const escapes = new Map([
  ['"', '&#34;'],
  ["'", '&#39;'],
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['\t', '&#x9;'],
  ['\n', '&#xA;'],
  ['\r', '&#xD;'],
])
