import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { succeed } from './processes.ts'

export interface LocalRegistry {
  readonly url: string
  close(): void
}

/** What npm is set to, for programs that do not read its settings. */
export async function npmSettings(): Promise<{ registry: string; cafile: string | undefined }> {
  const [registry, cafile] = await Promise.all(['registry', 'cafile'].map((key) => succeed('npm', ['config', 'get', key])))
  return { registry, cafile: cafile === 'null' ? undefined : cafile }
}

/** A registry of npm that has the packed package, as if it were published, and sends who asks for others to the one npm is set to. */
export async function serveRegistry(tarball: string): Promise<LocalRegistry> {
  const { registry } = await npmSettings()
  const bytes = await readFile(tarball)
  const manifest = JSON.parse(await succeed('tar', ['-xzOf', tarball, 'package/package.json'])) as { name: string; version: string }
  const { name, version } = manifest
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').replace(/\?.*/, ''))
    if (path === `/${name}.tgz`) return void response.end(bytes)
    if (path !== `/${name}`)
      return void response.writeHead(302, { Location: new URL(`.${request.url}`, `${registry.replace(/\/$/, '')}/`).href }).end()
    const dist = { tarball: `${url}/${name}.tgz`, integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}` }
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, close: () => void server.close() }
}
