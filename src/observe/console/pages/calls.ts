import { statusText } from '../../../base/errors/status.ts'
import type { CallCounts } from '../../metrics/call-counts.ts'
import { clockTime, type Html, html, table, time } from '../html.ts'
import type { RecentCall } from '../recent-calls.ts'
import type { ConsoleView } from '../view.ts'
import type { Page } from './page.ts'

export const calls: Page = {
  title: 'Calls',
  isMain: true,
  sections: (view) => [
    { id: 'failed', title: 'Failed calls', isLive: true, body: callTable(view, view.recent.failed(), 'No call has failed.') },
    {
      id: 'slow',
      title: `Calls of ${time(view.state.settings.slow)} and more`,
      isLive: true,
      body: callTable(view, view.recent.slowest(), 'No call was slow.'),
    },
  ],
}

export function callTable(view: ConsoleView, all: readonly RecentCall[], empty: string): Html {
  return table(
    ['Time', 'Side', 'Route', 'Status', 'Duration#', 'Peer', 'Trace'],
    all.map(({ at, counts, code, ms, trace, remote }) => [
      clockTime(at),
      isServed(view, counts) ? 'served' : 'made',
      routeLink(pathOf(counts)),
      status(code),
      time(ms),
      remote ?? '',
      trace === undefined ? '' : html`<code class="trace">${trace}</code>`,
    ]),
    empty,
  )
}

export function pathOf({ labels }: CallCounts): string {
  return labels.values.path ?? ''
}

function isServed(view: ConsoleView, counts: CallCounts): boolean {
  const path = pathOf(counts)
  for (const { served } of view.meters()) if (served.get(path) === counts) return true
  return false
}

export function routeLink(name: string): Html {
  return html`<a href="/route?name=${encodeURIComponent(name.toWellFormed())}"><code>${name}</code></a>`
}

export function status(code: number): Html {
  if (code === 0) return html`<span class="ok">OK</span>`
  const text = statusText(code)
  return html`<span class="bad">${code}${text !== 'Unknown Error' && ` ${text}`}</span>`
}
