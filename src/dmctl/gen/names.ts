/** Words that TypeScript reserves, and names of types and values that the generated file itself uses. */
const reserved = new Set(
  `break case catch class const continue debugger default delete do else enum export extends false finally for function if
  import in instanceof new null return super switch this throw true try typeof var void while with implements interface let
  package private protected public static yield await arguments eval any bigint boolean never number object string symbol
  undefined unknown Array Object Record Uint8Array Error Promise Map Int64 Int64Input Type MessageType protobuf root typeOf
  call push none defineService`.split(/\s+/),
)

/** A name that may be declared. */
export function declarable(name: string): string {
  return reserved.has(name) ? `${name}$` : name
}

/**
 * The name of a field in TypeScript, by the rule of protoc for `json_name`. Members that every object has get a `$`,
 * because object literals would not fit their type.
 */
export function fieldName(name: string): string {
  const camel = name.replaceAll(/_+([^_]?)/g, (_, next: string) => next.toUpperCase())
  return camel in Object.prototype || camel === 'toJSON' ? `${camel}$` : camel
}

/** A member of an object type or literal. */
export function member(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
}

/** A text in single quotes. */
export function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')
  return `'${inner.replaceAll("'", "\\'")}'`
}

/** JSDoc of a comment; '' for none. */
export function doc(comment: string | null | undefined, indent = '', deprecated = false): string {
  const text = [comment?.trim() ?? '', deprecated ? '@deprecated' : ''].filter((part) => part !== '').join('\n\n')
  if (text === '') return ''
  const lines = text.replaceAll('*/', '*\\/').split('\n')
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`
}
