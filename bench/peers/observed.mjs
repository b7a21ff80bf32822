// What an endpoint is watched with, as options of the server: see docs/metrics.md, docs/tracing.md, docs/logs.md.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'

const dist = process.env.DMICRO_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const load = (file) => import(pathToFileURL(resolve(dist, file)).href)

/** The real SDK, whose spans go nowhere; with `ratio` its sampler records that share. */
export function sampling(ratio) {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const exporter = { export: (_, done) => done({ code: 0 }), shutdown: async () => {} }
  const spanProcessors = [new BatchSpanProcessor({ exporter })]
  const share = ratio === undefined ? undefined : new TraceIdRatioBasedSampler(ratio)
  return new TracerProvider({ spanProcessors, ...(share && { sampler: new ParentBasedSampler({ root: share }) }) })
}

async function traced(ratio) {
  const { tracing } = await load('observe/tracing/index.js')
  return tracing({ ratio, provider: sampling() })
}

/** Another process with three pages open, which ends with this one. */
async function openPages(url) {
  const look = async (path) => {
    const page = await (await fetch(url + path)).text()
    const events = await fetch(url + /data-events="([^"]+)"/.exec(page)[1].replaceAll('&amp;', '&'))
    const reader = events.body.getReader()
    await reader.read()
    return reader
  }
  const code = `const url = ${JSON.stringify(url)}
    const look = ${look}
    Promise.all(['/', '/routes', '/sessions'].map(look)).then((readers) => {
      process.send('open')
      for (const reader of readers) (async () => { while (!(await reader.read()).done); })()
    })
    process.on('disconnect', () => process.exit())`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [opened] = await once(child, 'message')
  if (opened !== 'open') throw new Error('the pages of the console are not open')
}

async function metrics() {
  const { prometheus } = await load('observe/metrics/index.js')
  return prometheus({ service: 'bench' })
}

export const watched = {
  metrics: async () => ({ plugins: [await metrics()] }),
  unsampled: async () => ({ plugins: [await traced(0)] }),
  sampled: async () => ({ plugins: [await traced(0.01)] }),
  console: async () => {
    const { console: consolePages } = await load('observe/metrics/index.js')
    const pages = consolePages()
    return { plugins: [pages], listening: () => openPages(pages.url) }
  },
  /** All but authentication, which is done once a session and which the C++ client cannot do. */
  all: async () => {
    const { accessLog } = await load('observe/logs/index.js')
    const { jsonLogger } = await load('observe/logs/index.js')
    const log = jsonLogger({ write: () => {} })
    return {
      plugins: [await metrics(), await traced(0.01), accessLog({ sample: 0.01, log })],
      limits: { maxMessageRate: 10_000_000 },
    }
  },
}
