/** Made on first use: for a literal V8 asks for the properties of all characters at every start, which takes 1 ms. */
let unprintable: RegExp | undefined

/**
 * Control and format characters (bidirectional overrides among them), line and paragraph separators, lone surrogates,
 * unassigned code points.
 */
function unprintableOnes(): RegExp {
  unprintable ??= /[\p{C}\p{Zl}\p{Zp}]/gu
  return unprintable
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`
}

/** Text of others for one line: what could steer a terminal, or hide in it, is escaped as `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(unprintableOnes(), escaped)
}

/** Likewise for text of several lines, which keeps its line ends and tabs. */
export function printableLines(text: string): string {
  return text.replace(unprintableOnes(), (character) => (character === '\n' || character === '\t' ? character : escaped(character)))
}
