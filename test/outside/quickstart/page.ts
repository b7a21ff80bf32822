import { strict as assert } from 'node:assert'

/** One thing that a page tells its reader to do. */
export type Step =
  | { readonly kind: 'run'; readonly where: string; readonly command: string; readonly mustFail: boolean; readonly inBackground: boolean }
  /** The output of the commands before it has these lines, in this order. */
  | { readonly kind: 'output'; readonly where: string; readonly lines: readonly string[] }
  /** A file is as the page shows it, or is to be. */
  | { readonly kind: 'file'; readonly where: string; readonly path: string; readonly text: string; readonly isWritten: boolean }

/**
 * The steps of a page, in its order: fences of `sh`, `text` and `typescript`. A comment before a fence says what is not to be read
 * off it: `terminal: NAME` for a command that goes on, `fails`, `file: PATH` for what is there, `write: PATH` for what the reader
 * writes.
 */
export function steps(page: string): Step[] {
  const found: Step[] = []
  for (const match of page.matchAll(/(?:<!-- (terminal|fails|file|write)(?:: (\S+))? -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm)) {
    const [, mark, name = '', language, body] = match
    const where = `line ${page.slice(0, match.index).split('\n').length}`
    if (language === 'sh') {
      for (const command of body.trim().split('\n'))
        found.push({ kind: 'run', where, command, mustFail: mark === 'fails', inBackground: mark === 'terminal' })
    } else if (language === 'text') found.push({ kind: 'output', where, lines: body.trimEnd().split('\n') })
    else {
      assert.ok(mark === 'file' || mark === 'write', `${where}: a fence of ${language} that no test knows what to do with`)
      found.push({ kind: 'file', where, path: name, text: body, isWritten: mark === 'write' })
    }
  }
  return found
}
