// Metrics, a trace and an access log of two services that call each other, in one process.
// Run it with: node examples/observe/run.mjs, or with --stay to look at the console until you press Ctrl-C.
import { setTimeout as wait } from 'node:timers/promises'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { Endpoint } from 'dmicro'
import { accessLog, jsonLogger } from 'dmicro/logs'
import { console as consolePages, prometheus } from 'dmicro/metrics'
import { tracing } from 'dmicro/tracing'

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const exporter = new InMemorySpanExporter() // yours sends them to a collector
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
const log = jsonLogger({ write: (line) => console.log(line) })
const metrics = prometheus({ service: 'shop', listen: 'http://127.0.0.1:0', go: false })
const pages = consolePages()

const stock = new Endpoint({ plugins: [tracing({ provider })] })
stock.routeCall('/stock/take', (item) => `one ${item} taken`)
const shop = new Endpoint({ log, plugins: [tracing({ provider }), metrics, pages, accessLog()] })
const stockSession = await shop.dial((await stock.listen('tcp://127.0.0.1:0')).url)
shop.routeCall('/shop/buy', (item) => stockSession.call('/stock/take', item))

const client = new Endpoint({ plugins: [tracing({ provider })] })
const session = await client.dial((await shop.listen('tcp://127.0.0.1:0')).url)
console.log(await session.call('/shop/buy', 'tea'))

const page = await (await fetch(`${metrics.url}/metrics`)).text()
console.log(page.match(/^dmicro_(server|client)_calls_total.*$/gm).join('\n'))
console.log(`the console: ${pages.url}`)
while (process.argv.includes('--stay')) {
  await session.call('/shop/buy', 'tea')
  await wait(100)
}
for (const endpoint of [client, shop, stock]) await endpoint.close()

const spans = exporter.getFinishedSpans()
const show = (span, indent) => {
  const kind = ['internal', 'server', 'client'][span.kind]
  console.log(`${indent}${span.name} (${kind})`)
  for (const child of spans) if (child.parentSpanContext?.spanId === span.spanContext().spanId) show(child, `${indent}  `)
}
show(
  spans.find(({ name, kind }) => name === '/shop/buy' && kind === 2),
  '',
)
