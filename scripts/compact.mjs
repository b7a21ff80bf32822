// V8 reads all of a file before it runs any of it, so that an `import` takes longer with each byte.
import { minify } from 'terser'
import ts from 'typescript'

/**
 * The text without comments and indentation, and with short names for what is local to a function, which V8 reads in
 * less time; and its source map. What an error's stack shows remains: names of functions, methods and classes, and
 * lines of a length that can be read. It is ASCII but for templates, which V8 holds and reads at one byte a character.
 *
 * @param {string} name of the file
 * @param {string} text a module in ASCII
 * @param {string} map its source map
 * @returns {Promise<{ code: string, map: string }>}
 */
export async function compact(name, text, map) {
  const privates = privateNames(text)
  const publics = new Set([...privates].map((each) => `$${each.slice(1)}`))
  for (const each of text.match(/\$\w+/g) ?? []) if (publics.has(each)) throw new Error(`${each} in ${name} is taken for a private name`)
  const result = await minify(
    { [name]: text.replace(/#\w+/g, (each) => (privates.has(each) ? `$${each.slice(1)}` : each)) },
    {
      module: true,
      compress: false,
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

/** A source map without names: where there are some, Node.js shows in a stack what a caller calls a function by (`apply`). */
function withoutNames(map) {
  const { mappings, ...rest } = JSON.parse(map)
  return JSON.stringify({ ...rest, names: [], mappings: mappings.replace(NAME, '$1') })
}

function privateNames(text) {
  const names = new Set()
  const visit = (node) => {
    if (ts.isPrivateIdentifier(node)) names.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('module.js', text, ts.ScriptTarget.ESNext, false, ts.ScriptKind.JS))
  return names
}
