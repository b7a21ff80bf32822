import { coreOf } from '../../../rpc/call-core.ts'
import type { RpcClient } from '../../../rpc/client.ts'
import type { Candidate } from '../../../rpc/selector/strategy.ts'
import type { RpcServer } from '../../../rpc/server.ts'
import { addressText, type Html, html, num, table, time } from '../html.ts'
import { counters } from './limits.ts'
import type { Page, Section } from './page.ts'

const MAX_ROWS = 300

export const services: Page = {
  title: 'Services',
  isMain: true,
  sections: (view) => {
    const clients = view.clients().map(
      (client, i): Section => ({
        id: `client${i}`,
        title: client.service,
        isLive: true,
        body: html`${registry(client)}${nodes(client)}${breakers(client)}${policies(client)}`,
      }),
    )
    const servers = view
      .servers()
      .map((server, i): Section => ({ id: `server${i}`, title: `${server.name}: served here`, isLive: true, body: registration(server) }))
    if (clients.length + servers.length > 0) return [...clients, ...servers]
    const body = html`<p class="empty">No clients: give them the console as a plugin, or to the console as its option <code>clients</code>.</p>`
    return [{ id: 'none', isLive: false, body }]
  },
}

function registry({ selector, service, stats }: RpcClient): Html {
  const reason = selector.failure(service)
  return html`${reason !== '' && html`<p class="bad">The registry is lost, the nodes known last are used: ${reason}</p>`}${counters({ ...selector.stats(service), unavailable: stats.unavailable })}`
}

function registration({ registered, registrations, url, state }: RpcServer): Html {
  if (registrations === undefined) return html`<p class="note">It registers nowhere.</p>`
  const is = registered ? html`<span class="ok">registered</span>` : html`<span class="bad">not registered</span>`
  return html`<p>${state === 'running' || state === 'closing' ? html`<code>${addressText(url ?? '')}</code> ` : ''}${is}</p>${counters(registrations)}`
}

function nodes(client: RpcClient): Html {
  const { selector, service } = client
  const now = coreOf(client).clock.now()
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
    addressText(node.id),
    html`<code>${addressText(node.address)}</code>`,
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
      html`<code>${addressText(node)}</code>`,
      method === '' ? 'all' : html`<code>${method}</code>`,
      html`<span class="${state === 'closed' ? 'ok' : 'bad'}">${state}</span>`,
      isForced ? 'yes' : '',
    ]),
    'No breaker yet.',
  )}`
}

function policies({ retry, hedge, fallback, stats: { failovers } }: RpcClient): Html {
  const retries = retry === undefined ? {} : { ...retry.stats, available: retry.budget.available }
  return html`<h3>Retries</h3>${counters({ failovers, ...retries })}${hedge !== undefined && html`<h3>Hedges</h3>${counters(hedge.stats)}`}${fallback !== undefined && html`<h3>Fallback</h3>${counters(fallback.stats)}`}`
}
