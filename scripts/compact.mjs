// V8 reads all of a file before it runs any of it, so that an `import` takes longer with each byte.
import { minify } from 'terser'
import ts from 'typescript'

/**
 * The text without comments and indentation, and with short names for what is local to a function, which V8 reads in
 * less time; and its source map. What an error's stack shows remains: names of functions, methods and classes, and
 * lines of a length that can be read. It is ASCII but for templates, which V8 holds and reads at one byte a character.
 *
 * @param {string} name of the file
 * @param {string} bundled a module in ASCII
 * @param {string} map its source map
 * @returns {Promise<{ code: string, map: string }>}
 */
export async function compact(name, bundled, map) {
  const text = withClassNames(bundled)
  const privates = privateNames(text)
  const publics = new Set([...privates].map((each) => `$${each.slice(1)}`))
  for (const each of text.match(/\$\w+/g) ?? []) if (publics.has(each)) throw new Error(`${each} in ${name} is taken for a private name`)
  const result = await minify(
    { [name]: text.replace(/#\w+/g, (each) => (privates.has(each) ? `$${each.slice(1)}` : each)) },
    {
      module: true,
      // Joined declarations are all that shortens without changing what a function does, line by line.
      compress: { defaults: false, join_vars: true },
      // The minifier would shorten private names, of methods too: they pass it as public ones, which it keeps.
      mangle: { module: false, keep_fnames: true, keep_classnames: true, reserved: [...publics] },
      format: { max_line_len: 160, ascii_only: true },
      sourceMap: { content: map, filename: name, includeSources: true },
    },
  )
  const code = result.code.replace(/\$\w+/g, (each) => (publics.has(each) ? `#${each.slice(1)}` : each))
  return { code: `${code}\n`, map: withoutNames(result.map) }
}

/** The fifth number of a segment of a source map's `mappings`, after the four before it. */
const NAME = /((?:[g-z0-9+/]*[A-Za-f]){4})[g-z0-9+/]*[A-Za-f](?=[,;]|$)/g

/**
 * A source map without names: where there are some, Node.js shows in a stack what a caller calls a function by
 * (`apply`).
 */
function withoutNames(map) {
  const { mappings, ...rest } = JSON.parse(map)
  return JSON.stringify({ ...rest, names: [], mappings: mappings.replace(NAME, '$1') })
}

/**
 * Names a class as the variable that it is assigned to. esbuild makes `X = class` of `class X`, and `X = class _X`
 * where the class names itself, so that it would be called by a short name, or by `_X`.
 */
function withClassNames(text) {
  const edits = []
  visit(text, (node) => {
    if (!ts.isVariableDeclaration(node) || node.initializer?.kind !== ts.SyntaxKind.ClassExpression) return
    const { initializer: made, name } = node
    if (made.name === undefined) edits.push({ at: made.pos + made.getFullText().indexOf('class') + 5, was: '', is: ` ${name.text}` })
    else
      visitNode(made, (inner) => {
        if (ts.isIdentifier(inner) && inner.text === made.name.text) edits.push({ at: inner.getStart(), was: inner.text, is: name.text })
      })
  })
  return edits
    .sort((a, b) => b.at - a.at)
    .reduce((edited, { at, was, is }) => edited.slice(0, at) + is + edited.slice(at + was.length), text)
}

function privateNames(text) {
  const names = new Set()
  visit(text, (node) => {
    if (ts.isPrivateIdentifier(node)) names.add(node.text)
  })
  return names
}

function visit(text, each) {
  visitNode(ts.createSourceFile('module.js', text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS), each)
}

function visitNode(node, each) {
  each(node)
  ts.forEachChild(node, (child) => visitNode(child, each))
}
