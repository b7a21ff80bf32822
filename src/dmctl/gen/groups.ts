import type protobufjs from 'protobufjs'
import { isType } from './kinds.ts'
import type { Source } from './source.ts'
import { statements } from './statements.ts'

/** The head of a group: `optional group Part = 3 [deprecated = true]`. */
interface GroupHead {
  /** '' in a oneof, whose fields have none. */
  readonly label: string
  readonly name: string
  /** Index of the name among the words. */
  readonly at: number
  readonly number: string
}

const ENCODING = 'features.message_encoding = DELIMITED'

export function isLabel(word: string | undefined): boolean {
  return word === 'optional' || word === 'required' || word === 'repeated'
}

/** The group that a statement which ends with `{` begins; undefined for others. */
export function groupIn(words: readonly string[]): GroupHead | undefined {
  const isLabelled = isLabel(words[0])
  const [word, name, equals, number, bracket] = isLabelled ? words.slice(1) : words
  if (word !== 'group' || equals !== '=' || number === undefined) return undefined
  if (bracket !== undefined && (bracket !== '[' || words.at(-1) !== ']')) return undefined
  return { label: isLabelled ? words[0] : '', name, at: isLabelled ? 2 : 1, number }
}

/** The name of a group's field. */
export function groupField(name: string): string {
  return name.toLowerCase()
}

/** The text of a file with messages in place of its groups. */
interface Plain {
  readonly text: string
  /** The oneofs of the file by the names of their further parts. */
  readonly parts: ReadonlyMap<string, string>
}

/**
 * Writes each group as what it means, a field and a message. Our parser reads groups at few places without options, and
 * takes every field of such a message for a group. Within a oneof or an extension no message may stand. So they end
 * before it, and go on after it.
 */
export function withoutGroups(source: Source): Plain {
  const { text, tokens } = source
  const parts = new Map<string, string>()
  if (!/\bgroup\b/.test(text)) return { text, parts }
  const names = new Set(tokens.map((token) => token.text))
  const nextPart = (oneof: string): string => {
    let name = `${oneof}_Part`
    while (names.has(name)) name += '_'
    names.add(name)
    parts.set(name, oneof)
    return name
  }
  let plain = ''
  let from = 0
  const replace = (begin: number, end: number, instead: string): void => {
    plain += text.slice(from, begin) + instead
    from = end
  }
  /** Text behind the end of each open block. */
  const after: string[] = []
  for (const { begin, end, words, block } of statements(source)) {
    const last = tokens[end]
    if (last?.text === '}') replace(last.offset + 1, last.offset + 1, after.pop() ?? '')
    if (last?.text !== '{') continue
    const group = groupIn(words)
    const isWithin = group !== undefined && (block[0] === 'oneof' || block[0] === 'extend')
    after.push(!isWithin ? '' : block[0] === 'extend' ? ` ${block.join(' ')} {` : ` oneof ${nextPart(block[1])} {`)
    if (group === undefined) continue
    const { label, name, at, number } = group
    const field = label === '' && block[0] !== 'oneof' ? 'group' : `${label} ${name}` // a label is wanted: the parser says so
    const options = text.slice(tokens[begin + at + 2].offset, last.offset).replace(/^\w+\s*\[?|\]\s*$/g, '')
    const inBrackets = options.trim() === '' ? ENCODING : `${ENCODING}, ${options}`
    const head = `${field} ${groupField(name)} = ${number} [${inBrackets}];${isWithin ? ' }' : ''} message ${name} {`
    replace(tokens[begin].offset, last.offset + 1, head)
  }
  return { text: plain + text.slice(from), parts }
}

/** Puts the parts of oneofs of a file together again. */
export function joinOneofs(root: protobufjs.NamespaceBase, file: string, parts: ReadonlyMap<string, string>): void {
  if (parts.size === 0) return
  for (const each of root.nestedArray) {
    if (isType(each) && each.filename === file) {
      for (const part of each.oneofsArray.filter(({ name }) => parts.has(name))) {
        const whole = each.oneofs[parts.get(part.name) as string]
        for (const field of [...part.fieldsArray]) {
          part.remove(field)
          whole.add(field)
        }
        each.remove(part)
      }
    }
    if ('nestedArray' in each) joinOneofs(each as protobufjs.NamespaceBase, file, parts)
  }
}
