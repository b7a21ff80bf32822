/**
 * Control and format characters (bidirectional overrides among them), line and paragraph separators, lone surrogates,
 * unassigned code points.
 */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`
}

/** Text of others for one line: what could steer a terminal, or hide in it, is escaped as `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(unprintable, escaped)
}

/** Likewise for text of several lines, which keeps its line ends and tabs. */
export function printableLines(text: string): string {
  return text.replace(unprintable, (character) => (character === '\n' || character === '\t' ? character : escaped(character)))
}

/** JSON for a terminal: what steers one and JSON leaves as it is gets JSON's escapes, so that it says the same. */
export function printableJson(json: string): string {
  return json.replace(/[\u007f-\u009f\p{Bidi_Control}]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
