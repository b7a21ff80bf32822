import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const index = join(dist, 'index.js')
const built = existsSync(join(dist, 'base/here.js'))

/** The frames of an error that a function with a private name throws. */
function framesOf(...flags: string[]): string[] {
  const program = `const { Endpoint } = await import(${JSON.stringify(pathToFileURL(index).href)})
    try { new Endpoint().routeCall('', () => 1) } catch ({ stack }) { console.log(stack) }`
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.notEqual(stdout, '', stderr)
  return stdout.split('\n').filter((line) => /^ +at /.test(line))
}

/** Entries of package.json as files of dist/, but for those that are also minified. */
const { exports } = JSON.parse(readFileSync(join(dist, '../package.json'), 'utf8')) as { exports: Record<string, { default?: string }> }
const entries = Object.values(exports).flatMap((each) => each.default?.match(/^\.\/dist\/(.*index\.js)$/)?.[1] ?? [])

describe('public classes', { skip: built ? false : 'dist/ is not built (npm run build)' }, () => {
  for (const entry of entries)
    it(`of ${entry} have their names at run time`, async () => {
      const all = Object.entries((await import(pathToFileURL(join(dist, entry)).href)) as object)
      const classes = all.filter(([, value]) => typeof value === 'function' && /^class\b/.test(String(value)))
      assert.deepEqual(
        classes.map(([, { name }]) => name),
        classes.map(([name]) => name),
      )
    })

  it('are what a printed error is called by', () => {
    const program = `const { StatusError } = await import(${JSON.stringify(pathToFileURL(index).href)})
    console.log(new StatusError(404))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    assert.match(stdout, /^StatusError: Not Found\n/)
  })
})

describe('the stack of an error of the package', { skip: built ? false : 'dist/ is not built (npm run build)' }, () => {
  it('names classes, methods and private methods', () => {
    const [first, second, third] = framesOf()
    assert.match(first, /at Router\.add \(.*\/dist\/index\.js:\d+:\d+\)/)
    assert.match(second, /#register \(.*\/dist\/index\.js:\d+:\d+\)/)
    assert.match(third, /RouteGroup\.routeCall \(.*\/dist\/index\.js:\d+:\d+\)/)
  })

  it('leads to the sources with source maps, by the same names', () => {
    const [first, second, third] = framesOf('--enable-source-maps')
    assert.match(first, /at Router\.add \(.*\/src\/endpoint\/router\.ts:\d+:\d+\)/)
    assert.match(second, /#register \(.*\/src\/endpoint\/router\.ts:\d+:\d+\)/)
    assert.match(third, /RouteGroup\.routeCall \(.*\/src\/endpoint\/router\.ts:\d+:\d+\)/)
    const [, line, column] = /:(\d+):(\d+)\)$/.exec(first) ?? []
    const source = readFileSync(join(dist, '../src/endpoint/router.ts'), 'utf8').split('\n')[Number(line) - 1]
    assert.match(source.slice(Number(column) - 1), /^(new TypeError|throw)/)
  })
})
