import { type Html, html } from './html.ts'

/** A line of a chart. */
interface Line {
  readonly name: string
  /** Class of its colour: `a`, `b` or `bad`. */
  readonly tone: 'a' | 'b' | 'bad'
  /** Values by second, the oldest first; NaN for none. */
  readonly values: ArrayLike<number>
}

const WIDTH = 600
const HEIGHT = 120

/**
 * A chart of the last seconds.
 *
 * @param show makes the text of a value
 * @param floor lowest value of a logarithmic scale; 0 for a linear one, which begins with 0
 */
export function chart(title: string, lines: readonly Line[], show: (value: number) => string, floor = 0): Html {
  const most = ceiling(Math.max(floor * 10, ...lines.map(({ values }) => largest(values))))
  const last = (values: ArrayLike<number>): string => show(values.length === 0 ? Number.NaN : values[values.length - 1])
  const label = `${title}: ${lines.map(({ name, values }) => `${name} ${last(values)}`).join(', ')}`
  return html`<figure class="chart"><figcaption><span class="title">${title}</span>${lines.map(
    ({ name, tone, values }) => html` <span class="key ${tone}">${name} <b>${last(values)}</b></span>`,
  )}</figcaption><div class="plot"><span class="top">${show(most)}</span><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}"><path class="grid" d="M0 .5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}"/>${lines.map(
    ({ tone, values }) => html`<path class="line ${tone}" d="${path(values, most, floor)}"/>`,
  )}</svg></div><div class="axis"><span>5 min ago${floor > 0 && `, from ${show(floor)}, logarithmic`}</span><span>now</span></div></figure>`
}

function largest(values: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < values.length; i++) if (values[i] > most) most = values[i]
  return most
}

/** The next of 1, 2, 5, 10, 20 … */
function ceiling(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value
}

/** The seconds that a chart shows; `values` are the last of them. */
export const SECONDS = 300

function path(values: ArrayLike<number>, most: number, floor: number): string {
  let text = ''
  let isDown = false
  const start = SECONDS - values.length
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (Number.isNaN(value)) {
      isDown = false
      continue
    }
    const x = ((start + i) * WIDTH) / (SECONDS - 1)
    // The line of 0 and that of the largest value are drawn as a whole.
    const share = floor === 0 ? value / most : Math.max(0, Math.log(value / floor) / Math.log(most / floor))
    const y = HEIGHT - 1 - share * (HEIGHT - 2)
    text += `${isDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
    // A point alone is seen as a dot.
    if (!isDown && !(values[i + 1] >= 0)) text += 'h.1'
    isDown = true
  }
  return text
}

/** A histogram of durations, one bar for each bucket that has any. */
export function bars(rows: readonly { readonly label: string; readonly count: number }[], show: (count: number) => string): Html {
  const most = Math.max(1, ...rows.map(({ count }) => count))
  return html`<div class="scroll"><table class="bars"><tbody>${rows.map(
    ({ label, count }) =>
      html`<tr><th scope="row" class="n">${label}</th><td class="bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${((count / most) * 100).toFixed(2)}" height="10"/></svg></td><td class="n">${show(count)}</td></tr>`,
  )}</tbody></table></div>`
}
