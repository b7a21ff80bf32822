import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import {
  entryFiles,
  faultOf,
  type Option,
  type OptionType,
  optionsPage,
  optionTypes,
  splitDefault,
  unitOf,
} from '../../../scripts/docs/options.ts'
import { problemsOf } from '../../../scripts/docs/pages.ts'
import { buildSite, root } from '../../../scripts/docs/site.ts'
import { sectionsOf } from '../../../scripts/docs/theme.ts'
import { defaultLimits } from '../../../src/base/limits.ts'
import { pages, read } from '../../support/snippets.ts'

function scratch(t: { after(fn: () => void): void }): string {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, '.cache', 'site-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function program(): ts.Program {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.build.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  return ts.createProgram(
    entryFiles(root).map(([, file]) => file),
    { ...options, noEmit: true, emitDeclarationOnly: false, stripInternal: false },
  )
}

const types = optionTypes(program(), root)
const optionsOf = (name: string): readonly Option[] => types.find((type) => type.name === name)?.options ?? []

test('the comment of each option of each public type of options names its default, and its unit where it is a number', () => {
  assert.ok(types.length > 60 && types.flatMap(({ options }) => options).length > 300, `${types.length} types`)
  assert.deepEqual(types.flatMap((type) => type.options.flatMap((option) => faultOf(type, option) ?? [])), []) // biome-ignore format: one line
})

test('the documented default of each limit is the one that the code has', () => {
  const documented = Object.fromEntries(optionsOf('Limits').map((option) => [option.name, amountOf(option.default)]))
  assert.deepEqual(documented, { ...defaultLimits })
})

/** `16 MiB` or `1,000` as a number. */
function amountOf(text = ''): number {
  const [, digits, unit = ''] = /^([\d,]+)(?: ([KM]iB))?$/.exec(text) ?? []
  return Number(digits?.replaceAll(',', '')) * (unit === 'MiB' ? 2 ** 20 : unit === 'KiB' ? 2 ** 10 : 1)
}

interface Table {
  readonly where: string
  readonly rows: readonly { readonly names: readonly string[]; readonly value: string }[]
}

/** The tables of the guides that have a column `option`, or `limit`, and a column `default`. */
function optionTables(): Table[] {
  return pages(root).flatMap((page) =>
    [...read(root, page).matchAll(/^\|(.*)\|\n\|[-:| ]+\|\n((?:\|.*\|\n)+)/gm)].flatMap(([, head, body]) => {
      const columns = cellsOf(head)
      const at = columns.findIndex((column) => column.startsWith('default'))
      if (!/^(option|limit|`http\()/.test(columns[0]) || at < 0 || body.includes('`--')) return []
      const rows = body
        .trim()
        .split('\n')
        .map((line) => cellsOf(line.slice(1, -1)))
      const named = rows.map((row) => ({ names: [...row[0].matchAll(/`(?:\w+\.)?(\w+)`/g)].map(([, name]) => name), value: row[at] }))
      return [{ where: `${page}: ${columns.join(', ')}`, rows: named }]
    }),
  )
}

function cellsOf(line: string): string[] {
  return line.split(/(?<!\\)\|/).map((cell) => cell.trim())
}

/** Every option of a type, with those that it has from others. */
function everyOption({ options, inherits }: OptionType): Option[] {
  return [...options, ...types.filter(({ name }) => inherits.includes(name)).flatMap(everyOption)]
}

/** `30 s, 90 s` as [30000, 90000]. */
function amountsIn(cell: string): number[] {
  const factors: Record<string, number> = { s: 1000, KiB: 2 ** 10, MiB: 2 ** 20 }
  return [...cell.matchAll(/(\d[\d,]*(?:\.\d+)?)(?: (s|seconds|KiB|MiB)\b)?/g)].map(([, digits, unit = '']) => Number(digits.replaceAll(',', '')) * (factors[unit[0] === 's' ? 's' : unit] ?? 1)) // biome-ignore format: one line
}

test('tables of options in the guides name options that there are, with the default that their comment says', () => {
  const tables = optionTables()
  assert.ok(tables.length >= 10, `${tables.length} tables`)
  for (const { where, rows } of tables) {
    const names = rows.flatMap((row) => row.names)
    const type = types.find((each) => names.every((name) => everyOption(each).some((option) => option.name === name)))
    assert.ok(type !== undefined, `${where}: no type has the options ${names.join(', ')}`)
    for (const { names: alike, value } of rows) {
      for (const name of alike) {
        const standard = everyOption(type).find((option) => option.name === name)?.default ?? ''
        const [amount] = /^\d/.test(standard) ? amountsIn(standard) : []
        const word = /^(?:true|false|'[^']*')/.exec(standard)?.[0]
        const said = value.replace(/^on\b/, 'true')
        if (amount !== undefined) assert.ok(amountsIn(value).includes(amount), `${where}: ${name} is ${standard}, not ${value}`)
        if (word !== undefined) assert.ok(said.includes(word), `${where}: ${name} is ${standard}, not ${value}`)
      }
    }
  }
})

test('defaults and units are read out of comments', () => {
  assert.deepEqual(splitDefault('What it is. Default: 1.5.'), { text: 'What it is.', default: '1.5' })
  assert.deepEqual(splitDefault("Default: `'a. b'`."), { text: '', default: "`'a. b'`" })
  assert.deepEqual(splitDefault('One. Default: none. More of it.'), { text: 'One. More of it.', default: 'none' })
  assert.equal(splitDefault('By default nothing.').default, undefined)
  assert.deepEqual(
    ['Milliseconds until', 'Most bytes', 'Most connections per second', 'Chance of', 'Most sessions', 'How long'].map(unitOf),
    ['ms', 'bytes', 'per second', 'ratio', 'count', undefined],
  )
  const option: Option = { name: 'a', isOptional: true, isNumber: true, text: 'How long.', default: undefined, unit: undefined, source: 'x.ts:1', hasAnchor: true } // biome-ignore format: one line
  const type: OptionType = { entry: 'dmicro', name: 'T', options: [option], inherits: [] }
  assert.equal(faultOf(type, option), 'x.ts:1: the comment of T.a does not say its default and its unit')
  assert.match(optionsPage(types), /\{@link dmicro!Limits\.maxFilters \| maxFilters\} \| 4 \| {2}\| Most transfer filters on one message\./)
})

test('each page of docs/ has a row in docs/README.md, which says in what section of the site it is', () => {
  const listed = sectionsOf(read(root, 'docs/README.md')).flatMap((section) => section.pages)
  const alone = pages(root).filter((page) => /^docs\/[\w-]+\.md$/.test(page) && page !== 'docs/README.md')
  assert.deepEqual(alone.filter((page) => !listed.includes(page)), []) // biome-ignore format: one line
})

test('the check of built pages finds broken links, missing headings, and what is loaded from elsewhere', (t) => {
  const folder = scratch(t)
  writeFileSync(
    join(folder, 'a.html'),
    '<h1 id="top">x</h1><a href="b.html#here">b</a><a href="#top">a</a><a href="https://example.org">e</a>',
  )
  writeFileSync(
    join(folder, 'b.html'),
    '<a href="a.html#nowhere">a</a><a href="c.html">c</a><script src="//example.org/x.js"></script><p id="here"/>',
  )
  writeFileSync(join(folder, 'x.css'), '@font-face { src: url(https://example.org/font) }')
  assert.deepEqual(problemsOf(folder).toSorted(), [
    'b.html loads //example.org/x.js',
    'b.html: leads to no file: c.html',
    'b.html: leads to no heading: a.html#nowhere',
    'x.css loads from elsewhere',
  ])
})

test('the site builds without a warning or a broken link, each page of docs/ in it', async (t) => {
  const folder = join(scratch(t), 'site')
  assert.deepEqual(await buildSite(folder), [])
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  for (const page of pages) readFileSync(join(folder, 'guides', page.replace('.md', '.html').toLowerCase()))
  const calls = readFileSync(join(folder, 'guides/calls.html'), 'utf8')
  assert.match(calls, /<noscript>.*<a href="routing\.html">[^<]+<.*<\/noscript>/s)
  readFileSync(join(folder, 'api/dmicro/rpc/RpcClient.html'))
})
