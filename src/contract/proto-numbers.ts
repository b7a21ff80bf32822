/** The numbers of a message's fields, and those that are reserved. */
export interface Numbers {
  readonly fields: ReadonlyMap<string, number>
  readonly reserved: readonly number[]
}

/** The numbers of fields by message, in text that `proto` made. */
export function numbersOf(text: string): Map<string, Numbers> {
  const messages = new Map<string, Numbers>()
  for (const [, name, inside] of text.matchAll(/^message (\w+) \{\n([\s\S]*?)\n\}$/gm)) {
    const fields = new Map<string, number>()
    for (const [, field, number] of inside.matchAll(/^ {2}(?!\/\/)[^;\n]*?(\w+) = (\d+);$/gm)) fields.set(field, Number(number))
    const reserved = /^ {2}reserved ([\d, ]+);$/m.exec(inside)?.[1].split(', ').map(Number) ?? []
    messages.set(name, { fields, reserved })
  }
  return messages
}
