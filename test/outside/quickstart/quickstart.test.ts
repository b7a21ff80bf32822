import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { needCommands, suite } from '../support/suite.ts'
import { buildImage } from './image.ts'
import { steps } from './page.ts'
import { freePort, Place } from './place.ts'

const root = resolve(import.meta.dirname, '../../..')
/** What the page promises. */
const FIVE_MINUTES = 300_000

/** Puts the free port of a test where a text has the one of the page. */
async function replacePort(folder: string, port: number): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!/^src.*\.ts$/.test(name)) continue
    const text = await readFile(join(folder, name), 'utf8')
    await writeFile(join(folder, name), text.replaceAll('127.0.0.1:9000', `127.0.0.1:${port}`))
  }
}

async function followPage(t: TestContext, place: Place, port: number): Promise<void> {
  const text = await readFile(join(root, 'docs/quickstart.md'), 'utf8')
  let output = ''
  for (const step of steps(text)) {
    if (step.kind === 'run') {
      const command = step.command.replaceAll('127.0.0.1:9000', `127.0.0.1:${port}`)
      if (step.inBackground) {
        await place.start(command, /dmicro info: ready/)
        continue
      }
      await t.test(step.command, async () => {
        const { code, stdout, stderr } = await place.run(command)
        assert.equal(code !== 0, step.mustFail, `${step.where} ended with ${code}:\n${stdout}${stderr}`)
        output += stdout + stderr
        if (command.includes('dmctl new')) await replacePort(join(place.folder, 'shop'), port)
      })
    } else if (step.kind === 'output') {
      await t.test(`${step.where}: the output is as the page says`, () => {
        let from = 0
        for (const line of step.lines) {
          const at = output.indexOf(line.trim(), from)
          assert.ok(at >= 0, `${step.where}: ${JSON.stringify(line)} is not in what was printed:\n${output}`)
          from = at + line.trim().length
        }
        output = ''
      })
    } else {
      const file = join(place.folder, step.path)
      const shown = step.text.replaceAll('127.0.0.1:9000', `127.0.0.1:${port}`)
      if (step.isWritten) await writeFile(file, shown)
      else
        await t.test(`${step.where}: ${step.path} is as the page shows it`, async () => assert.equal(await readFile(file, 'utf8'), shown))
    }
  }
}

await suite(
  'quickstart',
  () => needCommands({ 'systemd-analyze': 'systemd' }),
  () => {
    test('docs/quickstart.md, from nothing to a typed service that runs, in five minutes', async (t) => {
      const port = await freePort()
      const place = await Place.make(t, {})
      const began = performance.now()
      await followPage(t, place, port)
      assert.ok(performance.now() - began < FIVE_MINUTES)

      await t.test('the unit file has no mistake', async () => {
        const { code, stdout, stderr } = await place.run('systemd-analyze verify --man=no ./shop.service')
        assert.deepEqual([code, stdout, stderr], [0, '', ''])
      })

      await t.test('what the Dockerfile puts into an image starts, is healthy and can be called', async () => {
        const other = await freePort()
        const image = await buildImage(place)
        const env = Object.entries({
          ...image.env,
          SHOP_SANDBOX__SERVICE__LISTEN: `tcp://0.0.0.0:${other}`,
          DMICRO_RUNTIME_DIR: join(image.folder, 'run'),
        })
        const inImage = (words: readonly string[]): string => [...env.map(([name, value]) => `${name}='${value}'`), ...words].join(' ')
        assert.equal(image.env.SHOP_SANDBOX__SERVICE__LISTEN, 'tcp://0.0.0.0:9000')
        const project = place.folder
        place.folder = image.folder
        await place.start(inImage(image.command), /dmicro info: ready/)
        const health = await place.run(inImage(image.health))
        assert.equal(health.code, 0, health.stderr)
        place.folder = project
        const called = await place.run(`npx dmctl call 127.0.0.1:${other} /shop/hello '{"name":"container"}'`)
        assert.match(called.stdout, /hello container/, called.stderr)
      })
    })
  },
)
