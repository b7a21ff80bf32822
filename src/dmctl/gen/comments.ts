/** The comments of a declaration, each as protoc gives it: without comment marks, ending as it does in the file. */
export interface Comments {
  readonly leading: string
  readonly trailing: string
}

/**
 * The comments between two tokens, by protoc's rules: which belong to the declaration that ends with the first token
 * (`trailing`), and which to the one that begins with the second (`leading`).
 *
 * @param gap the text between the tokens
 * @param isFirst whether the gap begins the file
 * @param closes whether the second token ends a block or the file, so that no comment can lead it
 */
export function commentsIn(gap: string, isFirst: boolean, closes: boolean): Comments {
  let trailing = ''
  let mayTrail = !isFirst
  let pending: string | undefined
  let isLine = false
  const flush = (): void => {
    if (pending === undefined) return
    if (mayTrail) trailing = pending
    mayTrail = false
    pending = undefined
  }
  // Whether a line break ends the line of the first token or of a comment; otherwise the line is empty.
  let endsLine = !isFirst
  let onFirstLine = !isFirst
  for (const { 0: text, index } of gap.matchAll(/\/\/[^\n]*\n?|\/\*[\s\S]*?\*\/|\n/g)) {
    if (text === '\n') {
      if (!endsLine) {
        flush()
        mayTrail = false
      }
      endsLine = false
      onFirstLine = false
      continue
    }
    const line = text.startsWith('//')
    if (!(line && isLine)) flush()
    isLine = line
    pending = (pending ?? '') + (line ? text.slice(2) : blockText(text))
    endsLine = !line
    if (onFirstLine) {
      // A block that something follows on its line belongs to neither; then protoc looks for no more.
      if (!line && !/^[^\S\n]*\n/.test(gap.slice(index + text.length))) return { leading: '', trailing: '' }
      // Comments on the lines below do not belong to this one.
      flush()
      onFirstLine = false
    }
  }
  if (closes) flush()
  return { leading: pending ?? '', trailing }
}

function blockText(comment: string): string {
  return comment.slice(2, -2).replaceAll(/\n[^\S\n]*\*?/g, '\n')
}

/** The documentation of a declaration: its leading comment, then its trailing one; '' for none. */
export function docText({ leading, trailing }: Comments): string {
  return [leading, trailing]
    .map(plainText)
    .filter((text) => text !== '')
    .join('\n\n')
}

/** The comment without the second marks of `/** … *\/` and `///`, and without the space before each line. */
function plainText(comment: string): string {
  const lines = comment.replace(/^\*(?=\s)/, '').split('\n')
  const slashed = lines.filter((line) => line !== '').every((line) => line.startsWith('/'))
  const bare = slashed ? lines.map((line) => line.slice(1)) : lines
  const indented = bare
    .slice(1)
    .filter((line) => line.trim() !== '')
    .every((line) => line.startsWith(' '))
  const text = indented ? bare.map((line) => line.replace(/^ /, '')) : [bare[0].trimStart(), ...bare.slice(1)]
  return text
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/^\n+|\s+$/g, '')
}
