import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

function filesIn(folder: string, kinds: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => kinds.test(name) && !name.includes('node_modules'))
    .map((name) => `${folder}/${name}`)
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const headings = readFileSync(join(root, page), 'utf8').matchAll(/^#+ (.*)$/gm)
  return new Set(
    [...headings].map(([, text]) =>
      text
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Why `path#anchor` leads nowhere; undefined when it leads somewhere. */
function broken(path: string, anchor: string | undefined): string | undefined {
  if (!existsSync(join(root, path))) return 'no such file'
  return anchor === undefined || anchorsOf(path).has(anchor) ? undefined : 'no such heading'
}

test('every link of docs/spec leads to a file and heading that are there', () => {
  const pages = filesIn('docs/spec', /\.md$/)
  assert.ok(pages.length >= 5)
  for (const page of pages) {
    const links = [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
    for (const [link, path, anchor] of links) {
      const target = path === '' ? page : join(dirname(page), path)
      assert.equal(broken(target, anchor), undefined, `${page}: ${link}`)
    }
  }
})

test('every reference of the sources to docs/spec leads to a page and heading that are there', () => {
  const files = ['src', 'native', 'test', 'bench'].flatMap((folder) => filesIn(folder, /\.(ts|h|cc|go|md)$/))
  for (const file of [...files, 'ARCHITECTURE.md']) {
    for (const [reference, path, anchor] of readFileSync(join(root, file), 'utf8').matchAll(/(docs\/spec\/[a-z-]+\.md)(?:#([a-z-]+))?/g))
      assert.equal(broken(path, anchor), undefined, `${file}: ${reference}`)
  }
})
