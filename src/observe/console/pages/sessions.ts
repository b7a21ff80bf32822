import { engineOf, type Session } from '../../../session/session.ts'
import { bytes, formValue, type Html, html, num, table, time } from '../html.ts'
import type { ConsoleView } from '../view.ts'
import type { Page } from './page.ts'

/** Sessions of one page. */
const PER_PAGE = 100
/** Sessions that a search looks at. */
const MAX_LOOKS = 100_000

export const sessions: Page = {
  title: 'Sessions',
  isMain: true,
  sections: (view, query) => [
    { id: 'filter', isLive: false, body: filterForm(query.get('q') ?? '') },
    { id: 'sessions', isLive: true, body: list(view, query) },
  ],
}

function filterForm(text: string): Html {
  return html`<form class="filter" role="search"><label>Address, id or protocol <input name="q" value="${formValue(text)}" autocomplete="off"></label> <button>Filter</button></form>`
}

function list(view: ConsoleView, query: URLSearchParams): Html {
  const wanted = query.get('q') ?? ''
  const from = Math.max(0, Number.parseInt(query.get('from') ?? '0', 10) || 0)
  const { found, matching } = find(view, wanted, from)
  const link = (start: number, text: string): Html => {
    const next = new URLSearchParams({ q: wanted, from: String(start) })
    return html`<a href="/sessions?${next.toString()}">${text}</a> `
  }
  return html`<p class="note">${num(matching)} ${matching === 1 ? 'session' : 'sessions'}${matching > PER_PAGE && `, from ${from + 1}`} ${
    from > 0 && link(Math.max(0, from - PER_PAGE), 'previous')
  }${from + PER_PAGE < matching && link(from + PER_PAGE, 'next')}</p>${table(
    [
      'Peer',
      'Id',
      'Protocol',
      'State',
      'Connected#',
      'Serving#',
      'Calling#',
      'Unsent replies#',
      ...(view.state.settings.readOnly ? [] : ['']),
    ],
    found.map(([session, number, now]) => row(view, session, number, now)),
    'No session.',
  )}`
}

/** Finds the sessions of one page. Looks at some only, because there may be a million. */
function find(view: ConsoleView, wanted: string, from: number) {
  const found: [Session, number, number][] = []
  const endpoints = view.endpoints()
  let matching = 0
  let looked = 0
  for (const [endpoint, number] of endpoints) {
    const now = endpoint.clock.now()
    for (const session of endpoint.sessions()) {
      if (looked++ >= MAX_LOOKS || (wanted === '' && found.length === PER_PAGE)) break
      if (wanted !== '' && ![session.id, session.remoteAddress, session.protocol].some((text) => text.includes(wanted))) continue
      if (matching++ >= from && found.length < PER_PAGE) found.push([session, number, now])
    }
  }
  if (wanted === '') matching = endpoints.reduce((sum, [endpoint]) => sum + endpoint.sessionCount, 0)
  return { found, matching }
}

function row({ csrf, state }: ConsoleView, session: Session, number: number, now: number) {
  const { link } = engineOf(session)
  const close = html`<form method="post" action="/sessions/close"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="endpoint" value="${number}"><input type="hidden" name="id" value="${formValue(session.id)}"><button class="small" aria-label="Close the session with ${session.remoteAddress}">Close</button></form>`
  const cells = [
    session.remoteAddress,
    session.id === session.remoteAddress ? html`<span class="dim">same</span>` : session.id,
    session.protocol,
    session.state,
    time(now - link.since),
    session.running,
    session.pendingCalls,
    bytes(link.connection.unsentReplies ?? Number.NaN),
  ]
  return state.settings.readOnly ? cells : [...cells, close]
}
