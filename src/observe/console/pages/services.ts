import type { RpcClient } from '../../../rpc/client.ts'
import type { Candidate } from '../../../rpc/selector/strategy.ts'
import { type Html, html, num, table, time } from '../html.ts'
import { counters } from './limits.ts'
import type { Page, Section } from './page.ts'

const MAX_ROWS = 300

export const services: Page = {
  title: 'Services',
  isMain: true,
  sections: ({ state }) => {
    const { clients } = state.settings
    if (clients.length === 0)
      return [
        {
          id: 'none',
          isLive: false,
          body: html`<p class="empty">No clients: give them to the console as its option <code>clients</code>.</p>`,
        },
      ]
    return clients.flatMap((client, i): Section[] => [
      {
        id: `client${i}`,
        title: client.service,
        isLive: true,
        body: html`${lost(client)}${nodes(client)}${breakers(client)}${policies(client)}`,
      },
    ])
  },
}

function lost({ selector, service }: RpcClient): Html | false {
  const reason = selector.failure(service)
  return reason !== '' && html`<p class="bad">The registry is lost, the nodes known last are used: ${reason}</p>`
}

function nodes({ selector, service, clock }: RpcClient): Html {
  const now = clock.now()
  return table(
    ['Node', 'Address', 'Version', 'Health', 'Weight#', 'Picks#', 'In flight#', 'Latency#', 'Success#', 'Last pick'],
    selector
      .candidates(service)
      .slice(0, MAX_ROWS)
      .map((candidate) => nodeRow(candidate, now)),
    'The registry has no node.',
  )
}

function nodeRow({ node, service, isEjected, weight, picks, inFlight, latency, success, pickedAt }: Candidate, now: number) {
  return [
    node.id,
    html`<code>${node.address}</code>`,
    service.version,
    isEjected ? html`<span class="bad">ejected</span>` : html`<span class="ok">in use</span>`,
    num(weight),
    num(picks ?? Number.NaN),
    num(inFlight),
    latency === 0 ? '–' : time(latency),
    `${Math.round(success * 100)} %`,
    pickedAt === Number.NEGATIVE_INFINITY ? 'never' : `${time(now - pickedAt)} ago`,
  ]
}

function breakers({ breakers }: RpcClient): Html | false {
  if (breakers === undefined) return false
  const worstFirst = [...breakers].sort((a, b) => Number(a.state === 'closed') - Number(b.state === 'closed')).slice(0, MAX_ROWS)
  return html`<h3>Breakers</h3>${counters(breakers.stats)}${table(
    ['Node', 'Method', 'State', 'By hand'],
    worstFirst.map(({ node, method, state, isForced }) => [
      html`<code>${node}</code>`,
      method === '' ? 'all' : html`<code>${method}</code>`,
      html`<span class="${state === 'closed' ? 'ok' : 'bad'}">${state}</span>`,
      isForced ? 'yes' : '',
    ]),
    'No breaker yet.',
  )}`
}

function policies({ retry }: RpcClient): Html | false {
  if (retry === undefined) return false
  return html`<h3>Retries</h3>${counters({ ...retry.stats, available: retry.budget.available })}`
}
