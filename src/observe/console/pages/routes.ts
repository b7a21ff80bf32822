import { realClock } from '../../../base/time/clock.ts'
import type { CallCounts } from '../../metrics/call-counts.ts'
import { bars } from '../chart.ts'
import { bytes, formValue, type Html, html, num, table, time } from '../html.ts'
import { percentile } from '../percentile.ts'
import { failures } from '../samples.ts'
import { fieldsOf } from '../schema-form.ts'
import type { ConsoleView } from '../view.ts'
import { callTable, pathOf, routeLink } from './calls.ts'
import type { Page, Section } from './page.ts'

const MAX_ROUTES = 300

/** Number of calls at the last look, by which rates are told. */
interface Look {
  at: number
  calls: number
  rate: number
}
const looks = new WeakMap<CallCounts, Look>()
/** Milliseconds between two looks, below which a rate says little. */
const MIN_LOOK_MS = 900
const MAX_LOOK_MS = 60_000

export const routes: Page = {
  title: 'Routes',
  isMain: true,
  sections: (view) => [
    { id: 'served', title: 'Served', isLive: true, body: served(view) },
    { id: 'made', title: 'Called', isLive: true, body: called(view) },
    { id: 'pushes', title: 'Pushes', isLive: true, body: pushes(view) },
  ],
}

export const route: Page = {
  title: 'Route',
  isMain: false,
  sections: (view, query) => {
    const name = query.get('name') ?? ''
    const sections: Section[] = [{ id: 'route', isLive: false, body: html`<h2><code>${name}</code></h2>` }]
    sections.push({ id: 'counts', isLive: true, body: counts(view, name) })
    const failed = view.recent.failed().filter(({ counts }) => pathOf(counts) === name)
    sections.push({ id: 'failed', title: 'Last errors', isLive: true, body: callTable(view, failed.slice(0, 20), 'No call has failed.') })
    const info = view.routes().get(`call ${name}`)
    if (info !== undefined && !view.state.settings.readOnly)
      sections.push({ id: 'try', title: 'Try it', isLive: false, body: tryForm(view, name, fieldsOf(info.arg), query.get('arg') ?? '') })
    return sections
  },
}

function counts(view: ConsoleView, name: string): Html {
  const sides = (['served', 'called'] as const).map((side) => ({
    side,
    all: [...view.meters()].flatMap((meter) => meter[side].get(name) ?? []),
  }))
  if (sides.every(({ all }) => all.length === 0)) return html`<p class="empty">No calls yet.</p>`
  return html`${sides.map(
    ({ side, all }) => all.length > 0 && html`<h2>${side === 'served' ? 'Served' : 'Called'}</h2>${callsTable(all)}${all.map(histogram)}`,
  )}`
}

function served(view: ConsoleView): Html {
  const counted = [...view.meters()].flatMap(({ served }) => [...served.values()])
  const names = new Set(counted.map(pathOf))
  const idle = [...view.routes().values()].filter(({ kind, name }) => kind === 'call' && !names.has(name))
  const more = idle.slice(0, MAX_ROUTES).map(({ name }) => routeLink(name))
  return html`${callsTable(counted)}${
    more.length > 0 &&
    html`<p class="note">Not called yet: ${more.map((link) => html`${link} `)}${
      idle.length > MAX_ROUTES && `and ${num(idle.length - MAX_ROUTES)} more`
    }</p>`
  }`
}

function called(view: ConsoleView): Html {
  return callsTable([...view.meters()].flatMap(({ called }) => [...called.values()]))
}

function callsTable(all: readonly CallCounts[]): Html {
  const busiest = all.toSorted((a, b) => b.ok - a.ok).slice(0, MAX_ROUTES)
  return html`${table(
    ['Route', 'Calls / s#', 'Calls#', 'Failed#', 'In flight#', 'p50#', 'p99#', 'In#', 'Out#'],
    busiest.map((counts) => {
      const bad = failures(counts)
      const { bounds, counts: durations } = counts.durations
      return [
        routeLink(pathOf(counts)),
        num(rate(counts, counts.ok + bad)),
        num(counts.ok + bad),
        bad > 0 ? html`<span class="bad">${num(bad)}</span>` : '0',
        num(counts.inFlight),
        time(percentile(durations, bounds, 0.5)),
        time(percentile(durations, bounds, 0.99)),
        bytes(counts.received),
        bytes(counts.sent),
      ]
    }),
    'No calls yet.',
  )}${all.length > MAX_ROUTES && html`<p class="note">The busiest ${MAX_ROUTES} of ${num(all.length)}.</p>`}`
}

function rate(counts: CallCounts, calls: number): number {
  const at = realClock.now()
  const look = looks.get(counts)
  if (look === undefined || at - look.at > MAX_LOOK_MS) {
    looks.set(counts, { at, calls, rate: Number.NaN })
    return Number.NaN
  }
  if (at - look.at < MIN_LOOK_MS) return look.rate
  look.rate = ((calls - look.calls) * 1000) / (at - look.at)
  look.at = at
  look.calls = calls
  return look.rate
}

function histogram({ durations: { bounds, counts } }: CallCounts): Html {
  const used = [...counts].map((count, i) => ({ label: i < bounds.length ? `≤ ${time(bounds[i])}` : `> ${time(bounds[i - 1])}`, count }))
  const first = used.findIndex(({ count }) => count > 0)
  const last = used.findLastIndex(({ count }) => count > 0)
  if (first < 0) return html``
  return html`<h3>Durations</h3>${bars(used.slice(first, last + 1), num)}`
}

function pushes(view: ConsoleView): Html {
  const rows = [...view.meters()].flatMap(({ pushesIn, pushesOut }) => [
    ...[...pushesIn.entries()].map(([name, counts]) => ({ name, way: 'received', counts })),
    ...[...pushesOut.entries()].map(([name, counts]) => ({ name, way: 'sent', counts })),
  ])
  return table(
    ['Name', 'Way', 'Pushes#', 'Failed#', 'Bytes#'],
    rows
      .slice(0, MAX_ROUTES)
      .map(({ name, way, counts }) => [html`<code>${name}</code>`, way, num(counts.total), num(counts.failed), bytes(counts.bytes)]),
    'No pushes yet.',
  )
}

function tryForm({ csrf }: ConsoleView, name: string, fields: Html | undefined, given: string): Html {
  const argument = html`<label>Argument, as JSON<textarea name="arg" rows="4" spellcheck="false">${formValue(given)}</textarea></label>`
  return html`<form class="try" method="post" action="/route/call"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="name" value="${formValue(name)}">${
    fields ?? argument
  }<button>Call</button></form>`
}
