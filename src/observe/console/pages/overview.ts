import { chart } from '../chart.ts'
import { html, num, time } from '../html.ts'
import type { ConsoleView } from '../view.ts'
import { callTable } from './calls.ts'
import type { Page, Section } from './page.ts'

export const overview: Page = {
  title: 'Overview',
  isMain: true,
  sections: (view) => [
    { id: 'now', isLive: true, body: tiles(view) },
    { id: 'charts', isLive: true, body: charts(view) },
    { id: 'failed', title: 'Last failed calls', isLive: true, body: failed(view) },
  ],
}

function tiles(view: ConsoleView) {
  const { samples } = view
  const urls = view.urls()
  const last = (kind: Parameters<typeof samples.last>[0]): number => samples.last(kind).at(-1) ?? Number.NaN
  const tile = (name: string, value: string, isBad = false) =>
    html`<div class="tile"><span>${name}</span><b${isBad && html` class="bad"`}>${value}</b></div>`
  const failedNow = last('failed')
  return html`<div class="tiles">${[
    tile('Served / s', num(last('served'))),
    tile('Made / s', num(last('made'))),
    tile('Failed / s', num(failedNow), failedNow > 0),
    tile('p50', time(last('p50'))),
    tile('p99', time(last('p99'))),
    tile('Loop delay', time(last('delay'))),
    tile('Sessions', num(last('sessions'))),
    tile('In flight', num(last('inFlight'))),
  ]}</div>${urls.length > 0 && html`<p class="note">Listening on ${urls.map((url) => html`<code>${url}</code> `)}</p>`}`
}

function charts({ samples }: ConsoleView) {
  return html`<div class="charts">${[
    chart(
      'Calls per second',
      [
        { name: 'served', tone: 'a', values: samples.last('served') },
        { name: 'made', tone: 'b', values: samples.last('made') },
        { name: 'failed', tone: 'bad', values: samples.last('failed') },
      ],
      num,
    ),
    chart(
      'Latency',
      [
        { name: 'p50', tone: 'a', values: samples.last('p50') },
        { name: 'p99', tone: 'b', values: samples.last('p99') },
      ],
      time,
      0.1,
    ),
    chart('Event loop delay', [{ name: 'longest', tone: 'a', values: samples.last('delay') }], time),
    chart(
      'Sessions',
      [
        { name: 'open', tone: 'a', values: samples.last('sessions') },
        { name: 'calls in flight', tone: 'b', values: samples.last('inFlight') },
      ],
      num,
    ),
  ]}</div>`
}

function failed(view: ConsoleView): Section['body'] {
  return callTable(view, view.recent.failed().slice(0, 8), 'No call has failed.')
}
