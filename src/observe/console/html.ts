import { printableLines } from '../../base/text/printable.ts'
import { hideInUrls } from '../logs/url-secrets.ts'

/** Text that is HTML already. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A value that a template takes: text is escaped, false and undefined are nothing. */
type Part = Html | string | number | false | undefined | readonly Part[]

/** Makes HTML. All that is put into it is escaped, unless it is `Html`. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0]
  parts.forEach((part, i) => {
    text += textOfPart(part) + strings[i + 1]
  })
  return new Html(text)
}

function textOfPart(part: Part): string {
  if (part instanceof Html) return part.text
  if (part === undefined || part === false) return ''
  if (typeof part === 'object') return part.map(textOfPart).join('')
  return escapeHtml(String(part))
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '\r': '&#13;' }

/** Texts without a character to escape, as most values are. */
const plain = /^[\w .,:/%()[\]-]*$/

export function escapeHtml(text: string): string {
  if (plain.test(text)) return text
  return printableLines(text).replace(/[&<>"']/g, (c) => entities[c])
}

/** Value of a form, which is sent back as it is: escaped for HTML, and not to be printable as what is only read. */
export function formValue(text: string): Html {
  return new Html(text.replace(/[&<>"'\r]/g, (c) => entities[c]))
}

/** An address, or a name made of one, without its user and its query, which may have secrets. */
export function addressText(address: string): string {
  return hideInUrls(address).replace(/\?.*$/s, '?***')
}

/** A number in few digits, such as 0.12, 3.4, 1,234 and 12 M. */
export function num(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 1e7) return `${(value / 1e6).toFixed(size < 1e8 ? 1 : 0)} M`
  if (size >= 100 || Number.isInteger(value)) return grouped(Math.round(value))
  return value.toFixed(size >= 10 ? 1 : 2)
}

/** Groups of three digits. `toLocaleString` takes longer than the rest of a page. */
function grouped(value: number): string {
  const text = String(value)
  return text.length < 4 ? text : text.replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** A duration. */
export function time(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  if (ms < 1000) return `${ms < 10 ? Number(ms.toPrecision(2)) : Math.round(ms)} ms`
  if (ms < 120_000) return `${num(ms / 1000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return ms < 172_800_000 ? `${num(ms / 3_600_000)} h` : `${num(ms / 86_400_000)} d`
}

export function bytes(value: number): string {
  if (value < 1024) return `${Math.round(value)} B`
  return value < 1_048_576 ? `${num(value / 1024)} KiB` : `${num(value / 1_048_576)} MiB`
}

/** Time of day, by the clock of this host. */
export function clockTime(at: number): Html {
  const date = new Date(at)
  return html`<time datetime="${date.toISOString()}">${date.toTimeString().slice(0, 8)}</time>`
}

/**
 * A table, which scrolls by itself when it is too wide.
 *
 * @param head names of the columns; those that end with `#` have numbers
 */
export function table(head: readonly string[], rows: readonly (readonly Part[])[], empty: string): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`
  const isNumber = (name: string): boolean => name.endsWith('#')
  return html`<div class="scroll"><table><thead><tr>${head.map(
    (name) => html`<th scope="col"${isNumber(name) && new Html(' class="n"')}>${name.replace(/#$/, '')}</th>`,
  )}</tr></thead><tbody>${rows.map(
    (row) => html`<tr>${row.map((cell, i) => html`<td${isNumber(head[i]) && new Html(' class="n"')}>${cell}</td>`)}</tr>`,
  )}</tbody></table></div>`
}
