/** Labels of a series. One with an empty value is left out, because to Prometheus both are the same. */
export class Labels {
  readonly values: Readonly<Record<string, string>>
  /** As they stand in a page between braces, without these; '' for none. */
  readonly text: string
  /** Made by `and` before. */
  #more: Map<string, Labels> | undefined

  constructor(values: Readonly<Record<string, string>>) {
    const given = Object.entries(values).filter(([, value]) => value !== '')
    this.values = Object.fromEntries(given)
    this.text = given.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')
  }

  /** These labels and one more. Kept, because each page has them again: requires few values. */
  and(name: string, value: string): Labels {
    this.#more ??= new Map()
    const key = `${name}=${value}`
    let labels = this.#more.get(key)
    if (labels === undefined) this.#more.set(key, (labels = new Labels({ ...this.values, [name]: value })))
    return labels
  }
}

/** Escapes a label's value. Half a surrogate pair becomes U+FFFD, because invalid UTF-8 would spoil the page. */
function escapeLabel(value: string): string {
  return value.toWellFormed().replace(/[\\\n"]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))
}
