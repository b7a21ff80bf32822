import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// What docs/dserver.md tells operators to run: an application, a unit file and a Dockerfile.

const page = readFileSync(fileURLToPath(new URL('../../docs/dserver.md', import.meta.url)), 'utf8')

/** The first fence of a language. */
export function documented(language: string): string {
  const [, body] = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page) ?? []
  if (body === undefined) throw new Error(`docs/dserver.md has no ${language}`)
  return body
}

/** A unit file: sections, and the settings of each. */
export function readUnit(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {}
  let section: Record<string, string> = {}
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, name, key, value] = /^(?:\[(\w+)\]|(\w+)=(.*))$/.exec(line) ?? []
    if (name === undefined && key === undefined) throw new Error(`no line of a unit file: ${line}`)
    if (name !== undefined) section = sections[name] = {}
    else section[key] = value
  }
  return sections
}

/** A Dockerfile: its instructions, each with what follows. */
export function readDockerfile(text: string): [instruction: string, rest: string][] {
  const lines = text.split('\n').filter((each) => each !== '')
  return lines.map((line) => {
    const [, instruction, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? []
    if (instruction === undefined) throw new Error(`no line of a Dockerfile: ${line}`)
    return [instruction, rest]
  })
}
