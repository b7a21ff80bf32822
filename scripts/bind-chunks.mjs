/**
 * Binds the files that are loaded on first use to the copy of the package that loads them. A test runner that resets its
 * modules makes a second copy, and what the first one loads after that would otherwise be linked with the second.
 *
 * Such a file, and each that it shares with others, becomes a function of what it imports. Line numbers stay as they are.
 *
 * @param {Map<string, string>} texts of all files, by name
 * @param {string} main the file that they all need, and that loads them
 * @param {Set<string>} entries the files that users import
 */
export function bindChunks(texts, main, entries) {
  for (const [name, text] of texts) {
    if (name === main) texts.set(name, asMain(text))
    else texts.set(name, entries.has(name) ? asEntry(text, main) : asFunction(text, main))
  }
}

const IMPORT = /^import (?:(\{[^}]*\}) from )?"([./]*)([^"./]+\.js)";$/gm
/** Imports of packages, which stay outside of functions. */
const PACKAGE = /^import [^"\n]+ from "[^./"][^"]*";$/gm
const EXPORT = /^export (\{[^}]*\});$/gm
const DYNAMIC = /\bimport\("\.[^"]+"\)/g
const LOAD = 'chunkOfThisCopy'
const MAIN = 'mainOfThisCopy'

function asMain(text) {
  const [, names = '{}'] = [...text.matchAll(EXPORT)].at(-1) ?? []
  const changing = names.match(/\w+/g)?.find((name) => new RegExp(`^let ${name}\\b`, 'm').test(text))
  if (changing !== undefined) throw new Error(`${changing} changes: a file that is loaded later would not see that`)
  const exported = names.replaceAll(/(\w+) as (\w+)/g, '$2: $1')
  const own = `const chunks = new Map();
function ${LOAD}({ default: make }) {
  if (!chunks.has(make)) chunks.set(make, make(${exported}, ${LOAD}));
  return chunks.get(make);
}
`
  return text.replaceAll(DYNAMIC, bindLoad).replace(/^export \{/m, (begin) => `${own}${begin}\n  ${LOAD},`)
}

function bindLoad(load) {
  return `${load}.then(${LOAD})`
}

function asEntry(text, main) {
  let count = text.match(DYNAMIC)?.length ?? 0
  const bound = text.replaceAll(DYNAMIC, bindLoad).replaceAll(IMPORT, (whole, names, folder, file) => {
    if (file === main) return whole
    if (names === undefined) return ''
    count++
    return `import * as chunk${count} from "${folder}${file}"; const ${names.replaceAll(' as ', ': ')} = ${LOAD}(chunk${count});`
  })
  if (count === 0) return text
  const [, , folder] = [...text.matchAll(IMPORT)].find(([, , , file]) => file === main)
  const [shebang = ''] = /^#!.*\n/.exec(bound) ?? []
  return `${shebang}import { ${LOAD} } from "${folder}${main}"; ${bound.slice(shebang.length)}`
}

function asFunction(text, main) {
  const imports = []
  const bound = text
    .replaceAll(PACKAGE, (line) => {
      imports.push(`${line} `)
      return ''
    })
    .replaceAll(IMPORT, (_, names, folder, file) => {
      if (names === undefined) return ''
      if (file !== main) imports.push(`import * as chunk${imports.length} from "${folder}${file}"; `)
      return `const ${names.replaceAll(' as ', ': ')} = ${file === main ? MAIN : `${LOAD}(chunk${imports.length - 1})`};`
    })
    .replaceAll(DYNAMIC, bindLoad)
    .replaceAll(EXPORT, (_, names) => `return ${names.replaceAll(/(\w+) as (\w+)/g, '$2: $1')}; }`)
  return `${imports.join('')}export default function (${MAIN}, ${LOAD}) { ${bound}`
}
