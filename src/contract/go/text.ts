/** Characters that a file of Go cannot have everywhere: U+FEFF is no text but at its beginning. */
const NO_TEXT = /[\p{Cc}\p{Cs}\uFEFF]/gu

/**
 * Comment lines that gofmt leaves as they are: it would rewrite what looks like a list, a heading, a link or code.
 *
 * @param parts paragraphs; empty ones are left out
 */
export function comment(parts: readonly (string | undefined)[], indent = ''): string {
  const paragraphs = parts.flatMap((part) => (part ?? '').split(/\n[^\S\n]*\n/)).map(linesOf)
  const blocks = paragraphs.filter((lines) => lines.length > 0).flatMap(blocksOf)
  return blocks.map((lines) => lines.map((line) => `${indent}// ${line}\n`).join('')).join(`${indent}//\n`)
}

function linesOf(text: string): string[] {
  return text
    .split(/\r\n|[\r\n\u2028\u2029]/)
    .map((line) => line.replaceAll(NO_TEXT, ' ').trim())
    .filter((line) => line !== '')
}

/** A list is a block of its own. */
function blocksOf(lines: readonly string[], index: number, all: readonly (readonly string[])[]): string[][] {
  const blocks: string[][] = []
  let inList = false
  for (const line of lines) {
    const item = /^[-*+•]\s+(.*)$/.exec(line)?.[1]
    if (blocks.length === 0 || inList !== (item !== undefined)) blocks.push([])
    inList = item !== undefined
    blocks.at(-1)?.push(inList ? `  - ${plain(item as string)}` : plain(line))
  }
  return blocks.map((block) => (isHeading(block) && (index > 0 || all.length > 1) ? [`${block[0]}.`] : block))
}

/** A line without what means something at its beginning: of a heading, a numbered item, the target of a link. */
function plain(line: string): string {
  return line
    .replace(/^#+\s+/, '')
    .replace(/^(\d+)[.)]\s+/, '($1) ')
    .replace(/^\[([^\]]*)\]:\s*/, '$1: ')
    .replace(/^\s+/, '')
}

/** A paragraph of one line without a mark at its end may be an old form of heading. */
function isHeading(block: readonly string[]): boolean {
  return block.length === 1 && /^\p{Lu}[^;:!?+*/=[\]{}_^°&§~%#@<">\\]*$/u.test(block[0]) && /[\p{L}\p{N}]$/u.test(block[0])
}

/** Lines of cells, each with its comment, as gofmt lays them out: columns of lines that follow each other align. */
export function columns(lines: readonly { readonly comment: string; readonly cells: readonly string[] }[]): string {
  const widths = (from: number, to: number): number[] =>
    lines[from].cells.map((_, i) => Math.max(...lines.slice(from, to).map(({ cells }) => [...cells[i]].length)))
  let text = ''
  for (let start = 0; start < lines.length; ) {
    let end = start + 1
    while (end < lines.length && lines[end].comment === '') end++
    const width = widths(start, end)
    for (const { comment: above, cells } of lines.slice(start, end)) {
      const padded = cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(width[i] + cell.length - [...cell].length)))
      text += `${above}\t${padded.join(' ')}\n`
    }
    start = end
  }
  return text
}

/** A list that is nil as an empty one, because null is none. */
export function listOf(type: string, value: string): string {
  return type.startsWith('[]') ? `list(${value})` : `mapOf(${value})`
}

/** A string of Go. */
export function quoted(text: string): string {
  return JSON.stringify(text.replaceAll(/\p{Cs}/gu, '\ufffd')).replaceAll('\ufeff', '\\ufeff')
}
