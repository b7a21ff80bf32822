/** What stands for a value that was not measured. */
export const NONE = '–'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')

/** A Markdown table: the first `left` columns are text, the others numbers. */
export function table(head: string[], rows: string[][], left = 1): string {
  const line = (cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`
  const rule = `|${head.map((_, column) => (column < left ? '---' : '---:')).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
