import { columns, comment, listOf } from './text.ts'

/** A value of a list whose members have types of their own. */
export interface TupleItem {
  readonly name: string
  readonly type: string
  readonly docs: string
  /** May be absent: the type is a pointer, or nil says so. */
  readonly isOptional: boolean
  /** A list or map, whose nil is written as an empty one. */
  readonly isList: boolean
}

/**
 * A struct that is a list in JSON.
 *
 * @param rest type of the values behind the named ones; undefined for none
 */
export function tupleText(name: string, docs: string | undefined, items: readonly TupleItem[], rest: string | undefined): string {
  const cells = items.map((each) => ({ comment: each.docs, cells: [each.name, each.type] }))
  const more = rest === undefined ? [] : [{ comment: '', cells: ['Rest', `[]${rest}`] }]
  const value = ({ name: item, type, isList }: TupleItem): string => (isList ? listOf(type, `m.${item}`) : `m.${item}`)
  const required = items.filter(({ isOptional }) => !isOptional)
  const optional = items.filter(({ isOptional }) => isOptional)
  const begin = `[]any{${required.map(value).join(', ')}}`
  const isFixed = optional.length === 0 && rest === undefined
  const written = isFixed
    ? `\treturn json.Marshal(${begin})\n`
    : `\titems := ${begin}\n` +
      `${optional.map((each) => `\tif m.${each.name} == nil {\n\t\treturn json.Marshal(items)\n\t}\n\titems = append(items, m.${each.name})\n`).join('')}` +
      `${rest === undefined ? '' : '\tfor _, each := range m.Rest {\n\t\titems = append(items, each)\n\t}\n'}\treturn json.Marshal(items)\n`
  const targets = items.map((each) => `, &m.${each.name}`).join('')
  const read = `readItems(data, ${required.length}${targets})`
  const behind =
    rest === undefined
      ? `\t_, err := ${read}\n\treturn err\n`
      : `\trest, err := ${read}\n\tif err != nil {\n\t\treturn err\n\t}\n\tm.Rest = make([]${rest}, len(rest))\n` +
        `\tfor i, each := range rest {\n\t\tif err := json.Unmarshal(each, &m.Rest[i]); err != nil {\n\t\t\treturn err\n\t\t}\n\t}\n\treturn nil\n`
  return (
    `${comment([docs, `${name} is a list in JSON.`])}type ${name} struct {\n${columns([...cells, ...more])}}\n\n` +
    `// MarshalJSON writes it as a list.\nfunc (m ${name}) MarshalJSON() ([]byte, error) {\n${written}}\n\n` +
    `// UnmarshalJSON reads it of a list.\nfunc (m *${name}) UnmarshalJSON(data []byte) error {\n\t*m = ${name}{}\n${behind}}\n`
  )
}
