// What an endpoint is watched with, as options of the server: see docs/metrics.md, docs/tracing.md, docs/logs.md.
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

const dist = process.env.DMICRO_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const load = (file) => import(pathToFileURL(resolve(dist, file)).href)

/** The real SDK, whose spans go nowhere. */
async function traced(ratio) {
  const { tracing } = await load('observe/tracing/index.js')
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const exporter = { export: (_, done) => done({ code: 0 }), shutdown: async () => {} }
  return tracing({ ratio, provider: new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] }) })
}

async function metrics() {
  const { prometheus } = await load('observe/metrics/index.js')
  return prometheus({ service: 'bench' })
}

export const watched = {
  metrics: async () => ({ plugins: [await metrics()] }),
  unsampled: async () => ({ plugins: [await traced(0)] }),
  sampled: async () => ({ plugins: [await traced(0.01)] }),
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
