// The server of `native`, in a sandbox of a DServer: what the shell around an endpoint costs (docs/dserver.md).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { dmicro } from '../peers/dmicro.mjs'

const dist = process.env.DMICRO_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const bare = dmicro('native')

export const label = 'dmicro native, in a DServer'
export const payloads = ['json']
export const { dial } = bare

export async function serve(options) {
  const { DServer, Sandbox } = await import(pathToFileURL(resolve(dist, 'dserver/index.js')).href)
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  process.env.DMICRO_RUNTIME_DIR = join(folder, 'run')
  return new Promise((resolve, reject) => {
    class Served extends Sandbox {
      name = 'served'
      async setup() {
        resolve(await bare.serve(options))
      }
      shutdown() {}
    }
    DServer.run('bench', (svr) => svr.addSandbox(new Served()), { args: ['start'], log: false }).catch(reject)
  })
}
