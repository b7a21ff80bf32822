import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

// A page of docs/zh has the code, headings, tables, names, numbers and links of its English page, so that a change of the one which the other lacks is seen.

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url))
const read = (name: string): string => readFileSync(join(docs, name), 'utf8')
const names = readdirSync(join(docs, 'zh'))

/** Fenced blocks, each with the comment in front of it that the reader does not see. */
function blocksOf(text: string): string[] {
  return text.match(/(?:<!-- (?:(?!-->)[\s\S])*? -->\n+)?^```[^\n]*\n[\s\S]*?^```$/gm) ?? []
}

function proseOf(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '')
}

function headingsOf(text: string): string[] {
  return [...proseOf(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading)
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(name: string): string[] {
  return headingsOf(read(name)).map((heading) => heading.toLowerCase().replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-')) // biome-ignore format: one line
}

const linksOf = (text: string) => [...proseOf(text).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].map(([link, path, anchor]) => ({ link, path, anchor })) // biome-ignore format: one line

/** What a translation keeps as it is, by kinds. */
function keptBy(text: string): Record<string, string[]> {
  const prose = proseOf(text).replace(/^\[English\].*\n/m, '')
  const plain = prose.replace(/\]\([^)]*\)|`[^`]*`/g, '')
  const set = (found: Iterable<string>): string[] => [...new Set(found)].sort()
  return {
    'levels of headings': prose.match(/^#+ /gm) ?? [],
    'columns of the rows of tables': (prose.match(/^\|.*$/gm) ?? []).map((row) => `${row.match(/(?<!\\)\|/g)?.length}`),
    'items of lists': prose.match(/^(?:-|\d\.) /gm) ?? [],
    'code in sentences': set((prose.match(/`[^`]+`/g) ?? []).map((span) => span.replace(/\s+/g, ' '))),
    numbers: set(plain.match(/\d[\d.,]*\d|\d/g) ?? []),
    links: set(linksOf(prose).map(({ path }) => path.replace(/^(?:\.\.?\/|zh\/)+/, '')).filter((path) => path !== '')), // biome-ignore format: one line
  }
}

for (const name of names) {
  test(`docs/zh/${name} is up to date with docs/${name}`, () => {
    assert.ok(existsSync(join(docs, name)), `docs/${name} is gone`)
    const [english, chinese] = [read(name), read(`zh/${name}`)]
    assert.match(chinese, new RegExp(`^# .*\n\n\\[English\\]\\(\\.\\./${name.replace('.', '\\.')}\\)\n`))
    const [blocks, translated] = [english, chinese].map(blocksOf)
    for (const [i, block] of blocks.entries()) assert.equal(translated[i], block, `block ${i + 1} of docs/zh/${name} is not that of docs/${name}`) // biome-ignore format: one line
    assert.equal(translated.length, blocks.length, `docs/zh/${name} has blocks that docs/${name} lacks`)
    const [kept, has] = [english, chinese].map(keptBy)
    for (const kind of Object.keys(kept)) assert.deepEqual(has[kind], kept[kind], `${kind}: docs/zh/${name} (+) and docs/${name} (-) differ`) // biome-ignore format: one line
  })
}

test('links of docs/zh lead to Chinese pages where there are some, and to headings that are there', () => {
  assert.ok(names.length > 30)
  for (const name of names) {
    for (const { link, path, anchor } of linksOf(read(`zh/${name}`).replace(/^\[English\].*\n/m, ''))) {
      const target = path === '' ? `zh/${name}` : join('zh', path)
      assert.ok(existsSync(join(docs, target)), `docs/zh/${name}: ${link}: no such file`)
      if (target === basename(target)) assert.ok(!names.includes(target), `docs/zh/${name}: ${link}: there is a Chinese page`)
      if (anchor !== undefined) assert.ok(anchorsOf(target).includes(anchor), `docs/zh/${name}: ${link}: no such heading`)
    }
  }
})
