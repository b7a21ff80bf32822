// Lists comments that cannot be read alone: `node scripts/check-comments.mjs [DIRECTORY…]`, by default src/, native/
// and scripts/. Reported are comments that begin with a pronoun, doc tags that share a line with text, comment lines
// over 120 characters, and symbols that an entry of package.json exports (with their members) without a doc comment.

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'

const MAX_LINE = 120
const pronoun = /^(It|Its|Of|They|Their|That|Those|Whose|Whom|He|Who|Whoever|What)\b/
const inlineTag = /\S.* @(param|returns|throws|default|internal)\b/
const comments = /\/\*\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n?)+/gm

let problems = 0

function report(path, line, text) {
  problems++
  console.log(`${path}:${line}: ${text}`)
}

function checkComments(path) {
  const source = readFileSync(path, 'utf8')
  for (const { 0: comment, index } of source.matchAll(comments)) {
    const line = source.slice(0, index).split('\n').length
    const text = comment
      .replace(/^[ \t]*\/\*\*|\*\/$/g, '')
      .replace(/^[ \t]*(\/\/|\*) ?/gm, '')
      .trim()
    if (pronoun.test(text)) report(path, line, `begins with a pronoun: ${text.split('\n')[0]}`)
    if (text.split('\n').some((part) => inlineTag.test(part))) report(path, line, 'a tag shares a line with text')
  }
  source.split('\n').forEach((text, index) => {
    if (text.length > MAX_LINE && /^\s*(\/\*|\*|\/\/)/.test(text)) report(path, index + 1, `${text.length} characters`)
  })
}

/** Members of a class, an interface or an object type, through unions, intersections and type arguments. */
function membersOf(node) {
  if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeLiteralNode(node)) return [...node.members]
  if (ts.isTypeAliasDeclaration(node)) return membersOf(node.type)
  if (ts.isUnionTypeNode(node) || ts.isIntersectionTypeNode(node)) return node.types.flatMap(membersOf)
  return ts.isTypeReferenceNode(node) ? (node.typeArguments ?? []).flatMap(membersOf) : []
}

function isHidden(node) {
  const isPrivate = (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0
  return isPrivate || ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')
}

/** The sources of all entries in package.json, by the declarations that users get. */
function entrySources() {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
  const declared = (target) => {
    if (typeof target === 'string') return []
    return Object.entries(target).flatMap(([condition, inner]) => (condition === 'types' ? [inner] : declared(inner)))
  }
  return declared(exports).map((path) => path.replace('./dist/', 'src/').replace(/\.d\.ts$/, '.ts'))
}

function checkExports(directories) {
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile('tsconfig.json', ts.sys.readFile).config, ts.sys, '.')
  const entries = entrySources()
  const program = ts.createProgram(entries, options)
  const checker = program.getTypeChecker()
  const seen = new Set()
  const check = (symbol, node, name) => {
    if (symbol === undefined || symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags(checker).length > 0) return
    const file = node.getSourceFile()
    const path = relative('.', file.fileName)
    if (!directories.some((directory) => path.startsWith(directory))) return
    report(path, file.getLineAndCharacterOfPosition(node.getStart()).line + 1, `${name} has no doc comment`)
  }
  for (const exported of entries.flatMap((entry) =>
    checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry))),
  )) {
    const symbol = (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported)
    if (seen.has(symbol)) continue
    seen.add(symbol)
    check(symbol, symbol.declarations[0], symbol.name)
    for (const member of new Set(symbol.declarations.flatMap(membersOf))) {
      if (member.name === undefined || ts.isPrivateIdentifier(member.name) || isHidden(member)) continue
      check(checker.getSymbolAtLocation(member.name), member, `${symbol.name}.${member.name.getText()}`)
    }
  }
}

const directories = process.argv.length > 2 ? process.argv.slice(2) : ['src', 'native', 'scripts']
for (const directory of directories) {
  for (const name of readdirSync(directory, { recursive: true })) if (/\.(ts|mjs|h|cc)$/.test(name)) checkComments(join(directory, name))
}
checkExports(directories)
console.log(problems === 0 ? 'comments are in order' : `${problems} problems`)
process.exitCode = problems === 0 ? 0 : 1
