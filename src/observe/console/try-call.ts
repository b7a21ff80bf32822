import { reasonOf } from '../../base/errors/error-text.ts'
import { Code, StatusError } from '../../base/errors/status.ts'
import { realClock } from '../../base/time/clock.ts'
import { Endpoint } from '../../endpoint/endpoint.ts'
import { settingsOf } from '../../endpoint/settings-of.ts'
import { type Html, html, time } from './html.ts'
import { status } from './pages/calls.ts'
import { argumentOf } from './schema-form.ts'
import type { ConsoleState, ShownEndpoint } from './state.ts'

const TIMEOUT_MS = 10_000
/** Longest part of a result that is shown. */
const MAX_RESULT = 65_536
/** Most addresses that are tried. */
const MAX_URLS = 8

/** Calls a route by one of the addresses that the endpoints listen on, so that the call is like any other. */
export async function tryCall({ endpoints, settings }: ConsoleState, form: URLSearchParams): Promise<Html> {
  const name = form.get('name') ?? ''
  const begun = realClock.now()
  const answer = (code: number, body: string): Html =>
    html`<p>${status(code)} after ${time(realClock.now() - begun)}</p>${body !== '' && html`<pre>${body}</pre>`}`
  const places = placesOf(endpoints, `call ${name}`)
  let arg: unknown
  try {
    arg = argumentOf(places[0]?.routes.get(`call ${name}`)?.arg, form)
  } catch (error) {
    return html`<p class="bad">The argument cannot be read: ${reasonOf(error)}</p>`
  }
  if (places.length === 0) return html`<p class="bad">No endpoint listens, so there is nobody to call.</p>`
  const caller = settings.caller ?? new Endpoint({ log: false, timeout: TIMEOUT_MS })
  let failure: unknown
  try {
    for (const { url, protocol } of places.slice(0, MAX_URLS)) {
      const own = /^(?:tls|wss):/.test(url) ? { protocol, tls: { rejectUnauthorized: false } } : { protocol }
      try {
        const session = await caller.dial(reachable(url), settings.caller === undefined ? own : {})
        try {
          const result = await session.call(name, arg, { timeout: TIMEOUT_MS, codec: 'json' })
          return answer(0, shown(result))
        } finally {
          void session.close()
        }
      } catch (error) {
        failure = error
        if (!(error instanceof StatusError && (error.code === Code.NotFound || error.code === Code.DialFailed))) break
      }
    }
  } finally {
    if (settings.caller === undefined) void caller.close()
  }
  if (failure instanceof StatusError) return answer(failure.code, [failure.message, failure.cause].filter(Boolean).join('\n'))
  return html`<p class="bad">The call was not made: ${reasonOf(failure)}</p>`
}

/** An address to try, with the routes of its endpoint and the protocol that it speaks. */
interface Place extends Pick<ShownEndpoint, 'routes'> {
  readonly url: string
  readonly protocol: string
}

/** The addresses of the endpoints that have a route; of all where none has it, which may serve unknown ones. */
function placesOf(endpoints: ConsoleState['endpoints'], route: string): Place[] {
  const all = [...endpoints].flatMap(([endpoint, { urls, routes }]) =>
    [...urls].map((url) => ({ url, routes, protocol: settingsOf(endpoint).protocol.name })),
  )
  const having = all.filter(({ routes }) => routes.has(route))
  return having.length > 0 ? having : all
}

/** An address that listens on all addresses of the host is dialled by that of the host itself. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
}

function shown(result: unknown): string {
  if (result === undefined) return ''
  const text = result instanceof Uint8Array ? Buffer.from(result).toString('hex') : (JSON.stringify(result, undefined, 2) ?? '')
  return text.length > MAX_RESULT ? `${text.slice(0, MAX_RESULT)} …` : text
}
