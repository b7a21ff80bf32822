import { cut, type PlainValue } from '../../logs/fields.ts'
import { clockTime, type Html, html } from '../html.ts'
import type { LogLine } from '../log-tap.ts'
import type { Page } from './page.ts'

/** Longest text of a field that is shown; stacks of errors are longer. */
const MAX_FIELD = 400

export const logs: Page = {
  title: 'Log',
  isMain: true,
  sections: ({ state }) => [
    {
      id: 'note',
      isLive: false,
      body: html`<p class="note">The last warnings and errors, and all other lines that were written while a page was open. The newest is the first.</p>`,
    },
    { id: 'log', isLive: true, body: lines(state.logs.lines()) },
  ],
}

function lines(all: readonly LogLine[]): Html {
  if (all.length === 0) return html`<p class="empty">Nothing was logged.</p>`
  return html`<ol class="log">${all.map(
    ({ at, level, text, fields }) =>
      html`<li class="${level}">${clockTime(at)} <b>${level}</b> ${text}${Object.entries(fields).map(
        ([name, value]) => html` <span class="field">${name}=<span>${fieldText(value)}</span></span>`,
      )}</li>`,
  )}</ol>`
}

function fieldText(value: PlainValue): string {
  return cut(String(value), MAX_FIELD)
}
