import { groupIn, isLabel } from './groups.ts'
import { type Place, ProtoError, type Source } from './source.ts'
import { type Statement, statements } from './statements.ts'

const DELIMITED = '[features.message_encoding = DELIMITED]'
const EDITIONS = ['2023', '2024']
const AT_TOP = ['message', 'enum', 'service', 'extend', 'import', 'package', 'option']
const IN_SERVICE = ['rpc', 'option']
/** Words that begin a file, or a declaration at its top. */
const BEFORE = ['syntax', 'edition', 'export', 'local']
/** How statements of a message begin that are no fields. */
const NO_FIELDS = ['message', 'enum', 'oneof', 'extend', 'extensions', 'reserved', 'option', 'map', 'export', 'local']

/**
 * The first thing that protoc refuses and our parser takes, or says in worse words. A mistake before it that the parser
 * finds may be its cause.
 */
export function problemIn(source: Source, syntax: Syntax): ProtoError | undefined {
  try {
    checkStatements(source, syntax)
  } catch (error) {
    if (error instanceof ProtoError) return error
    throw error
  }
  return undefined
}

function checkStatements(source: Source, syntax: Syntax): void {
  let isEmpty = true // the oneof that is open
  for (const statement of statements(source)) {
    const { begin, end, words, block } = statement
    const [first] = words
    const at = (word: number): Place => source.placeOfToken(begin + word)
    if (begin > 0 && (first === 'syntax' || first === 'edition') && words[1] === '=' && block.length === 0)
      throw source.error(at(0), `unexpected '${first}': it is the first statement of a file`)
    const expected = block.length === 0 ? AT_TOP : block[0] === 'service' ? IN_SERVICE : undefined
    if (expected !== undefined && first !== undefined && ![...expected, ...BEFORE].includes(first))
      throw source.error(at(0), `expected ${expected.slice(0, -1).join(', ')} or ${expected.at(-1)}, got '${first}'`)
    checkBrackets(source, statement)
    if (first === 'oneof') isEmpty = true
    if (block[0] === 'oneof') {
      if (words.length > 0 && first !== 'option') isEmpty = false
      if (isLabel(first) && words.length > 2) throw source.error(at(0), `fields of a oneof have no label, got '${first}'`)
      if (first === 'map' && words[1] === '<') throw source.error(at(0), 'a map cannot be in a oneof')
      if (isEmpty && source.tokens[end]?.text === '}') throw source.error(at(0), `the oneof ${block[1]} has no field`)
    }
    if (isLabel(first) && words[1] === 'map' && words[2] === '<') throw source.error(at(0), `a map has no label, got '${first}'`)
    checkGroup(source, statement, syntax)
    const isField = words.indexOf('=') > 1 && !NO_FIELDS.includes(first) && !isLabel(first)
    if (syntax.name === 'proto2' && isField && (block[0] === 'message' || block[0] === 'extend' || groupIn(block) !== undefined))
      throw source.error(at(0), `expected 'optional', 'required' or 'repeated', got '${first}'${syntax.isGiven ? '' : hint}`)
  }
}

const hint = '; the file does not begin with syntax = "proto3", so it is one of proto2'

interface Syntax {
  /** `proto2`, `proto3` or an edition. */
  readonly name: string
  readonly isGiven: boolean
}

/**
 * Syntax or edition of a file.
 *
 * @throws ProtoError for one that is not known: the parser takes any word
 */
export function syntaxOf(source: Source): Syntax {
  const [kind, equals, value] = source.tokens.slice(0, 3).map(({ text }) => text)
  if ((kind !== 'syntax' && kind !== 'edition') || equals !== '=' || value === undefined) return { name: 'proto2', isGiven: false }
  const allowed = kind === 'syntax' ? ['proto2', 'proto3'] : EDITIONS
  const name = /^(["'])(.*)\1$/.exec(value)?.[2]
  if (name !== undefined && allowed.includes(name)) return { name, isGiven: true }
  const text = `expected ${kind} ${allowed.map((each) => `"${each}"`).join(' or ')}, got ${name === undefined ? value : `"${name}"`}`
  throw source.error(source.placeOfToken(2), text)
}

function checkGroup(source: Source, { begin, end, words }: Statement, syntax: Syntax): void {
  const group = source.tokens[end]?.text === '{' ? groupIn(words) : undefined
  if (group === undefined) return
  const refused = (text: string, at = group.at): ProtoError => source.error(source.placeOfToken(begin + at), text)
  if (syntax.name === 'proto3') throw refused('there are no groups in proto3')
  if (syntax.name !== 'proto2') throw refused(`there are no groups in editions; a field of a message with ${DELIMITED} is the same`, 0)
  if (!/^[A-Z]/.test(group.name)) throw refused(`the name of a group begins with a capital letter, got '${group.name}'`)
}

/** Options between brackets all have a value. The parser looks for one until the end of the file. */
function checkBrackets(source: Source, { begin, words }: Statement): void {
  const bracket = words[0] === 'option' ? -1 : words.indexOf('[')
  if (bracket < 0) return
  let depth = 0
  let isNew = true
  let hasValue = false
  for (const [i, word] of [...words.entries()].slice(bracket)) {
    const ends = depth === 1 && (word === ',' || word === ']')
    if (ends && !hasValue) throw source.error(source.placeOfToken(begin + i), `expected ${isNew ? 'an option' : "'='"}, got '${word}'`)
    if (depth === 1) hasValue ||= word === '='
    if (depth === 1) isNew = false
    if ('[{<('.includes(word)) depth++
    else if (']}>)'.includes(word)) depth--
    if (ends) {
      isNew = true
      hasValue = false
    }
  }
}
