/**
 * Binds the files that are loaded on first use to the copy of the package that loads them. A test runner that resets
 * its modules makes a second copy, and what the first one loads after that would otherwise be linked with the second.
 *
 * Such a file, and each that it shares with others, becomes a function of what it imports. The file that they all need
 * takes the place of the entry `index`, which only gives on what it exports: a file less at each start. Line numbers
 * stay as they are.
 *
 * @param {Map<string, string>} texts of all files, by name
 * @param {string} main the file that they all need, and that loads them
 * @param {Set<string>} entries the files that users import
 */
export function bindChunks(texts, main, entries) {
  const text = asMain(texts.get(main), texts.get(INDEX))
  texts.delete(main)
  for (const [name, other] of texts) texts.set(name, entries.has(name) ? asEntry(other, main) : asFunction(other, main))
  texts.set(INDEX, text)
}

export const INDEX = 'index.js'
const IMPORT = /^import (?:(\{[^}]*\}) from )?"([./]*)([^"./]+\.js)";$/gm
/** Imports of packages, which stay outside of functions. */
const PACKAGE = /^import [^"\n]+ from "[^./"][^"]*";$/gm
const EXPORT = /^export (\{[^}]*\});$/gm
const DYNAMIC = /\bimport\("\.[^"]+"\)/g
const LOAD = 'chunkOfThisCopy'
const MAIN = 'mainOfThisCopy'

function asMain(text, index) {
  const all = exportsOf(text)
  const changing = [...all.values()].find((name) => new RegExp(`^let ${name}\\b`, 'm').test(text))
  if (changing !== undefined) throw new Error(`${changing} changes: a file that is loaded later would not see that`)
  const publics = [...exportsOf(index)].map(([name, given]) => `${all.get(given)} as ${name}`)
  const own = `const chunks = new Map();
let ${MAIN};
function ${LOAD}({ default: make }) {
  ${MAIN} ??= { ${[...all].map(([name, local]) => `${name}: ${local}`).join(', ')} };
  if (!chunks.has(make)) chunks.set(make, make(${MAIN}, ${LOAD}));
  return chunks.get(make);
}
`
  return text.replaceAll(DYNAMIC, bindLoad).replace(EXPORT, `${own}export { ${publics.join(', ')}, ${LOAD} };`)
}

/** The names that a file exports, each with what it is in the file. */
function exportsOf(text) {
  const [, names] = [...text.matchAll(EXPORT)].at(-1)
  return new Map([...names.matchAll(/(\w+)(?: as (\w+))?/g)].map(([, local, name = local]) => [name, local]))
}

function bindLoad(load) {
  return `${load}.then(${LOAD})`
}

function asEntry(text, main) {
  let count = text.match(DYNAMIC)?.length ?? 0
  const bound = text.replaceAll(DYNAMIC, bindLoad).replaceAll(IMPORT, (_, names, folder, file) => {
    if (names === undefined) return ''
    count++
    const taken = `const ${names.replaceAll(' as ', ': ')} =`
    if (file === main) return `${taken} ${LOAD}({ default: (main) => main });`
    return `import * as chunk${count} from "${folder}${file}"; ${taken} ${LOAD}(chunk${count});`
  })
  if (count === 0) return bound
  const [, , folder] = [...text.matchAll(IMPORT)].find(([, , , file]) => file === main)
  const [shebang = ''] = /^#!.*\n/.exec(bound) ?? []
  return `${shebang}import { ${LOAD} } from "${folder}${INDEX}"; ${bound.slice(shebang.length)}`
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
