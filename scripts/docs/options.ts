// The options that users can give, as the sources declare them: type, default, unit, and where each stands.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'

export interface OptionType {
  /** Entry that it is imported from: `dmicro/rpc`. */
  readonly entry: string
  readonly name: string
  /** Declared in this type, or in one that no entry exports. */
  readonly options: readonly Option[]
  /** Public types that it has further options of. */
  readonly inherits: readonly string[]
}

export interface Option {
  readonly name: string
  readonly isOptional: boolean
  readonly isNumber: boolean
  /** The doc comment without its default. */
  readonly text: string
  /** As the doc comment names them; undefined where it does not. */
  readonly default: string | undefined
  readonly unit: string | undefined
  /** `src/base/limits.ts:12`. */
  readonly source: string
  /** Whether the page of its type has a heading for it. */
  readonly hasAnchor: boolean
}

/** The interfaces and aliases that hold options. */
const OPTION_TYPE = /(Options|Limits|Settings|Faults|RestartLimit)$/

/** Units of numbers, as doc comments say them; the first that fits. */
const UNITS: readonly (readonly [unit: string, pattern: RegExp])[] = [
  ['ms', /^milliseconds\b/i],
  ['per second', /\b(per|a) second\b/i],
  ['ratio', /^(Share|Part|Ratio|Retries per request)\b|\bfrom 0 to 1\b|\bshare of\b|\b(chance|multiple|factor|many times)\b/i],
  ['µs', /\bmicroseconds?\b/i],
  ['ms', /\bmilliseconds?\b/i],
  ['s', /\bin seconds\b/i],
  ['bytes', /\b(bytes?|[KMG]iB)\b/i],
  ['number', /\b(id|port|code|codes|level|quality|priority|seed|descriptors?)\b|\bwhole number\b|\bold name\b/i],
  ['count', /\b(most|fewest|deepest|maximum|number of|minimum|then one line|failures in a row|answers within|messages that)\b/i],
]

/** The option types that the entries of the package export, each at the first entry that does. */
export function optionTypes(program: ts.Program, root: string): OptionType[] {
  const checker = program.getTypeChecker()
  const found = new Map<ts.Symbol, string>()
  for (const [entry, file] of entryFiles(root)) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      const isType = (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) !== 0
      if (isType && OPTION_TYPE.test(symbol.name) && !found.has(symbol)) found.set(symbol, entry)
    }
  }
  return [...found]
    .map(([symbol, entry]) => typeOf(symbol, entry, new Set(found.keys()), checker, root))
    .filter(({ options, inherits }) => options.length + inherits.length > 0)
}

export function entryFiles(root: string): [entry: string, file: string][] {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: Record<string, { types?: string }> }
  return Object.entries(exports).flatMap(([name, { types }]) =>
    types === undefined ? [] : [[`dmicro${name.slice(1)}`, join(root, types.replace('./dist/', 'src/').replace('.d.ts', '.ts'))]],
  )
}

function typeOf(symbol: ts.Symbol, entry: string, all: ReadonlySet<ts.Symbol>, checker: ts.TypeChecker, root: string): OptionType {
  const options: Option[] = []
  const inherits = new Set<string>()
  for (const property of propertiesOf(checker.getDeclaredTypeOfSymbol(symbol), checker)) {
    const declaration = property.declarations?.[0]
    if (declaration === undefined || isInternal(property, checker)) continue
    const owner = ownerOf(declaration, checker)
    if (owner !== undefined && owner !== symbol && all.has(owner)) inherits.add(owner.name)
    else if (isOurs(declaration, root)) options.push(optionOf(property, declaration, symbol, checker, root))
  }
  return { entry, name: symbol.name, options, inherits: [...inherits] }
}

/** The properties of a type; of a union those of each member, which says what goes together. */
function propertiesOf(type: ts.Type, checker: ts.TypeChecker): ts.Symbol[] {
  if (!type.isUnion()) return checker.getPropertiesOfType(type)
  const all = type.types.flatMap((member) => propertiesOf(member, checker))
  return [...new Map(all.map((property) => [`${property.name} ${property.declarations?.[0]?.pos}`, property])).values()]
}

/** The interface or alias that a property is written in. */
function ownerOf(declaration: ts.Node, checker: ts.TypeChecker): ts.Symbol | undefined {
  const owner = ts.findAncestor(declaration, (node) => ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node))
  return owner && checker.getSymbolAtLocation((owner as ts.InterfaceDeclaration).name)
}

/** The rest is of Node.js, as in the options of TLS. */
function isOurs(declaration: ts.Node, root: string): boolean {
  return declaration.getSourceFile().fileName.startsWith(join(root, 'src'))
}

function isInternal(property: ts.Symbol, checker: ts.TypeChecker): boolean {
  return property.getJsDocTags(checker).some(({ name }) => name === 'internal')
}

function optionOf(property: ts.Symbol, declaration: ts.Declaration, owner: ts.Symbol, checker: ts.TypeChecker, root: string): Option {
  const type = checker.getNonNullableType(checker.getTypeOfSymbol(property))
  const file = declaration.getSourceFile()
  const line = file.getLineAndCharacterOfPosition(declaration.getStart()).line + 1
  const comment = ts.displayPartsToString(property.getDocumentationComment(checker)).replace(/\s+/g, ' ').trim()
  const tag = property.getJsDocTags(checker).find(({ name }) => name === 'default' || name === 'defaultValue')
  const said = splitDefault(comment)
  return {
    name: property.name,
    isOptional: (property.flags & ts.SymbolFlags.Optional) !== 0,
    isNumber: hasNumber(type),
    text: said.text,
    default: tag === undefined ? said.default : ts.displayPartsToString(tag.text).replace(/\s+/g, ' ').trim(),
    unit: hasNumber(type) ? unitOf(comment) : undefined,
    source: `${relative(root, file.fileName)}:${line}`,
    hasAnchor: (owner.flags & ts.SymbolFlags.Interface) !== 0,
  }
}

/** Whether any number may be given, and not just some that stand for something. */
function hasNumber(type: ts.Type): boolean {
  return type.isUnion() ? type.types.some(hasNumber) : (type.flags & ts.TypeFlags.Number) !== 0
}

/** `What it is. Default: 3.` taken apart. A sentence ends before a capital letter or at the end. */
export function splitDefault(comment: string): { text: string; default: string | undefined } {
  const match = /(?:^|(?<=[.)] ))Default:? (.*?)\.?(?=$| ?(?<=\. )[A-Z])/.exec(comment)
  if (match === null) return { text: comment, default: undefined }
  const rest = [comment.slice(0, match.index), comment.slice(match.index + match[0].length)]
  return {
    text: rest
      .map((part) => part.trim())
      .join(' ')
      .trim(),
    default: match[1],
  }
}

/** Taken from the first sentence that names one. */
export function unitOf(comment: string): string | undefined {
  const unitIn = (text: string) => UNITS.find(([, pattern]) => pattern.test(text))?.[0]
  return unitIn(firstSentence(comment)) ?? unitIn(comment)
}

/** The faults of an option's doc comment, as a line; undefined if nothing. */
export function faultOf(type: OptionType, option: Option): string | undefined {
  const lacks = [
    ...(option.text === '' ? ['what it is'] : []),
    ...(option.isOptional && option.default === undefined ? ['its default'] : []),
    ...(option.isNumber && option.unit === undefined ? ['its unit'] : []),
  ]
  return lacks.length === 0 ? undefined : `${option.source}: the comment of ${type.name}.${option.name} does not say ${lacks.join(' and ')}`
}

/** The page `Options` of the site. `{@link}` leads to the API. */
export function optionsPage(types: readonly OptionType[]): string {
  const entries = [...new Set(types.map(({ entry }) => entry))]
  const parts = entries.flatMap((entry) => [`## ${entry}`, ...types.filter((type) => type.entry === entry).map(section)])
  return `${['# Options', INTRODUCTION, ...parts].join('\n\n')}\n`
}

const INTRODUCTION = `Every option of the package with its default and unit, as the doc comments in the sources say them. The name of an
option leads to all that is said of it. Numbers without a unit are counts; \`required\` options have no default.`

function section({ entry, name, options, inherits }: OptionType): string {
  const more = inherits.length === 0 ? [] : [`And those of ${inherits.map((other) => `\`${other}\``).join(', ')}.`]
  const rows = options.map((option) => {
    const link = `{@link ${entry}!${name}${option.hasAnchor ? `.${option.name}` : ''} | ${option.name}}`
    const standard = option.default ?? (option.isOptional ? '' : '*required*')
    return [link, cell(standard), unitCell(option), `${cell(firstSentence(option.text))}<br>\`${option.source}\``]
  })
  const head = ['option', 'default', 'unit', 'what it is, and its source']
  const table = rows.length === 0 ? [] : [[head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')]
  return [`### ${name}`, ...table, ...more].join('\n\n')
}

function unitCell({ unit }: Option): string {
  return unit === undefined || unit === 'count' || unit === 'number' ? '' : unit
}

function firstSentence(text: string): string {
  return /^.*?[.:](?= [A-Z(`]|$)/.exec(text)?.[0] ?? text
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('{', '\\{').replaceAll('@', '\\@')
