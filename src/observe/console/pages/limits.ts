import { defaultLimits, type Limits } from '../../../base/limits.ts'
import type { Endpoint } from '../../../endpoint/endpoint.ts'
import { settingsOf } from '../../../endpoint/settings-of.ts'
import { countingPlugins } from '../../metrics/limiters.ts'
import { type Html, html, num, table } from '../html.ts'
import type { Page, Section } from './page.ts'

const MAX_LIMITERS = 100

export const limits: Page = {
  title: 'Limits',
  isMain: true,
  sections: (view) =>
    view.endpoints().flatMap(([endpoint, number]): Section[] => {
      const name = number > 0 ? `Endpoint ${number}` : `Client ${-number}`
      return [
        { id: `load${number}`, title: `${name}: load`, isLive: true, body: load(endpoint) },
        { id: `limiters${number}`, title: `${name}: limiters`, isLive: true, body: limiters(endpoint) },
        { id: `options${number}`, title: `${name}: limits and options`, isLive: false, body: values(endpoint) },
      ]
    }),
}

/** Counters by name, in a line. */
export function counters(all: object): Html {
  const numbers = Object.entries(all).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return html`<dl class="counters">${numbers.map(([name, value]) => html`<div><dt>${words(name)}</dt><dd>${num(value)}</dd></div>`)}</dl>`
}

/** `refusedCalls` as words. */
function words(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function load({ stats, load }: Endpoint): Html {
  return html`${counters(stats)}${load === undefined ? html`<p class="note">No overload protection.</p>` : html`<h3>Overload protection</h3>${counters(load)}`}`
}

/** Plugins that count, such as rate limits and bulkheads. */
function limiters(endpoint: Endpoint): Html {
  const counting = [...countingPlugins(endpoint)].slice(0, MAX_LIMITERS)
  if (counting.length === 0) return html`<p class="empty">No plugin of the endpoint and its routes limits anything.</p>`
  return html`${counting.map(
    ({ plugin, counts, running, queued, keys }) =>
      html`<h3>${plugin.name}</h3>${counters({ ...Object.fromEntries(counts), running, queued, keys })}`,
  )}`
}

/** Settings that are no options, or have a table of their own. */
const unshown: ReadonlySet<string> = new Set(['timeoutNamed', 'limits', 'transport', 'protocol', 'codec'])

/** An option and its value; those of an option that is an object by their path, such as `redial.times`. */
function optionRows(name: string, value: unknown): [string, unknown][] {
  if (['number', 'boolean', 'string'].includes(typeof value)) return [[name, value]]
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return []
  return Object.entries(value).flatMap(([key, nested]) => optionRows(`${name}.${key}`, nested))
}

function values(endpoint: Endpoint): Html {
  const settings = settingsOf(endpoint)
  const options: [string, unknown][] = [
    ...Object.entries(settings).flatMap(([name, value]) => (unshown.has(name) ? [] : optionRows(name, value))),
    ['transport', endpoint.transport.kind],
    ['protocol', settings.protocol.name],
    ['codec', settings.codec.name],
    ['plugins', endpoint.plugins.all.map(({ name }) => name).join(', ')],
    ...(['redial', 'overload'] as const).filter((name) => !settings[name]).map((name): [string, unknown] => [name, 'none']),
  ]
  const seen = new Map(options)
  const show = (value: unknown): string => (typeof value === 'number' ? value.toLocaleString('en') : String(value))
  return html`<div class="columns"><div><h3>Limits</h3>${table(
    ['Limit', 'Value#', 'Default#'],
    Object.entries(settings.limits).map(([name, value]) => {
      const usual = defaultLimits[name as keyof Limits]
      return [html`<code>${name}</code>`, value === usual ? show(value) : html`<b>${show(value)}</b>`, show(usual)]
    }),
    'None.',
  )}</div><div><h3>Options</h3>${table(
    ['Option', 'Value#'],
    [...seen].map(([name, value]) => [html`<code>${name}</code>`, show(value)]),
    'None.',
  )}</div></div>`
}
