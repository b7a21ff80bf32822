import { type Comments, commentsIn } from './comments.ts'
import { groupField, groupIn } from './groups.ts'
import type { Place, Source } from './source.ts'
import { statements } from './statements.ts'

export type DeclarationKind = 'message' | 'enum' | 'service' | 'oneof' | 'field' | 'value' | 'method'

/** Where something is declared, and its comments. */
export interface Declaration extends Comments {
  readonly kind: DeclarationKind
  readonly file: string
  /** Place of the name. */
  readonly place: Place
  /** Tokens of a field's default. */
  readonly default?: readonly string[]
}

interface Scope {
  readonly kind: 'file' | 'message' | 'enum' | 'service' | 'other'
  readonly name: string
}

/** Adds what `source`, a file without errors, declares to `declared`, by full names. */
export function addDeclarations(source: Source, packageName: string, declared: Map<string, Declaration>): void {
  const { tokens } = source
  const scopes: Scope[] = [{ kind: 'file', name: packageName }]
  let { leading } = commentsAfter(source, -1)
  for (const { begin, end, words } of statements(source)) {
    const scope = scopes[scopes.length - 1]
    const found = declaredBy(words, scope)
    const next = commentsAfter(source, end)
    if (found !== undefined) {
      const { kind, at } = found
      const name = within(scope, words[at])
      const place = source.placeOfToken(begin + at)
      declared.set(name, { kind, file: source.file, place, leading, trailing: next.trailing, ...defaultIn(kind, words) })
      const isGroup = kind === 'message' && groupIn(words) !== undefined
      // Comments of a group are the message's.
      if (isGroup && scope.kind === 'message')
        declared.set(within(scope, groupField(words[at])), { kind: 'field', file: source.file, place, leading: '', trailing: '' })
    }
    const last = tokens[end]?.text
    if (last === '{') scopes.push(scopeOf(words, scope, found))
    else if (last === '}' && scopes.length > 1) scopes.pop()
    leading = next.leading
  }
}

function declaredBy(words: readonly string[], scope: Scope): { kind: DeclarationKind; at: number } | undefined {
  const first = words[0] === 'export' || words[0] === 'local' ? 1 : 0
  const equals = words.indexOf('=')
  if (scope.kind === 'enum') return equals === 1 && words[0] !== 'option' ? { kind: 'value', at: 0 } : undefined
  if (words[0] === 'rpc') return { kind: 'method', at: 1 }
  const group = groupIn(words)
  if (group !== undefined) return { kind: 'message', at: group.at }
  const options = words.indexOf('[')
  const isField = equals > 1 && (options < 0 || equals < options) && words[0] !== 'option'
  if (isField && scope.kind === 'message') return { kind: 'field', at: equals - 1 }
  const kind = words[first]
  if (kind === 'message' || kind === 'enum' || kind === 'service' || kind === 'oneof') return { kind, at: first + 1 }
  return undefined
}

function defaultIn(kind: DeclarationKind, words: readonly string[]): { default: readonly string[] } | undefined {
  const at = kind === 'field' ? words.findIndex((word, i) => word === 'default' && /^[[,]$/.test(words[i - 1]) && words[i + 1] === '=') : -1
  if (at < 0) return undefined
  const rest = words.slice(at + 2)
  return {
    default: rest.slice(
      0,
      rest.findIndex((word) => word === ',' || word === ']'),
    ),
  }
}

function scopeOf(words: readonly string[], scope: Scope, found: { kind: DeclarationKind; at: number } | undefined): Scope {
  // Fields of a oneof are the message's own.
  if (found?.kind === 'oneof') return { kind: 'message', name: scope.name }
  const name = found === undefined ? scope.name : within(scope, words[found.at])
  if (found?.kind === 'message' || found?.kind === 'enum' || found?.kind === 'service') return { kind: found.kind, name }
  return { kind: 'other', name }
}

function within({ name: scope }: Scope, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}

function commentsAfter(source: Source, index: number): Comments {
  const { tokens, text } = source
  const from = index < 0 ? 0 : (tokens[index]?.offset ?? text.length) + (tokens[index]?.text.length ?? 0)
  const next = tokens[index + 1]
  return commentsIn(text.slice(from, next?.offset), index < 0, next === undefined || /^[}\])]$/.test(next.text))
}
