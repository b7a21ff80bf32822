import type { Source, Token } from './source.ts'

/** A statement of a .proto file, as `int32 x = 1;`, the head of a block, or the end of one. */
export interface Statement {
  /** Index of its first token. */
  readonly begin: number
  /** Index of the token that ends it: `;`, `{` or `}`. */
  readonly end: number
  /** The tokens without the one that ends it. */
  readonly words: readonly string[]
  /** The head of the block around it, or of the one that it ends; empty outside of all. */
  readonly block: readonly string[]
}

/** The statements of a file in their order. */
export function* statements({ tokens }: Source): Generator<Statement> {
  const blocks: (readonly string[])[] = []
  for (let begin = 0; begin < tokens.length; ) {
    const end = endOf(tokens, begin)
    const words = tokens.slice(begin, end).map(({ text }) => text)
    yield { begin, end, words, block: blocks.at(-1) ?? [] }
    const sign = tokens[end]?.text
    if (sign === '{') blocks.push(words)
    else if (sign === '}') blocks.pop()
    begin = end + 1
  }
}

/** Index of the token that ends the statement which begins at `begin`: `;`, or `{` or `}` of a block. */
function endOf(tokens: readonly Token[], begin: number): number {
  const isOption = tokens[begin].text === 'option'
  let depth = 0
  for (let i = begin; i < tokens.length; i++) {
    const { text } = tokens[i]
    const inValue = isOption || depth > 0
    if (text === '[' || (text === '{' && inValue)) depth++
    else if (text === ']' || (text === '}' && inValue)) depth--
    else if (depth === 0 && (text === ';' || text === '{' || text === '}')) return i
  }
  return tokens.length
}
