import { random } from '../../support/random.ts'

const texts = [
  '',
  'a',
  ' ',
  '  two  ',
  'ü水\u{10151}',
  '<&>"\'',
  ']]>',
  'a\nb',
  'a\tb',
  'a\rb',
  'a\r\nb',
  '&amp;',
  '%41+%',
  'a=b&c;d',
  '~*-._!()',
  '/?:@#[]',
  'x'.repeat(300),
]
const names = ['a', 'b', 'Name', '_x', 'x-1', 'x.2', 'ключ']

export type Element = [name: string, attributes: Record<string, string>, children: Element[], text: string]

/** Elements that have attributes, and text or elements of names of their own; the same each time. */
export const elements: readonly Element[] = (() => {
  const rnd = random(1)
  const text = (): string => texts[rnd(texts.length)]
  const element = (name: string, depth: number): Element => {
    const attributes = Object.fromEntries(names.filter(() => rnd(4) === 0).map((key) => [key, text()]))
    const children = depth < 3 && rnd(2) === 0 ? names.filter(() => rnd(3) === 0).map((child) => element(child, depth + 1)) : []
    return [name, attributes, children, children.length > 0 ? '' : text()]
  }
  return [...texts.map((said): Element => ['root', {}, [], said]), ...texts.map((said): Element => ['root', { at: said }, [], 'x'])].concat(
    Array.from({ length: 66 }, () => element(names[rnd(names.length)], 0)),
  )
})()

/** How our codec says it. */
export function xmlValue([name, attributes, children, text]: Element): object {
  return { [name]: inner([name, attributes, children, text]) }
}

function inner([, attributes, children, text]: Element): unknown {
  if (Object.keys(attributes).length === 0 && children.length === 0) return text
  const keyed = Object.entries(attributes).map(([key, value]) => [`@${key}`, value])
  const value = { ...Object.fromEntries(keyed), ...Object.fromEntries(children.map((child) => [child[0], inner(child)])) }
  return text === '' ? value : { ...value, '#text': text }
}

/** Parameters as they are sorted, those of one key together. */
export const forms: readonly [key: string, value: string][][] = (() => {
  const rnd = random(2)
  const made: [string, string][][] = texts.map((text) => [['k', text]])
  for (const text of texts) made.push([[text, 'v']])
  for (let i = 0; i < 67; i++) {
    const keys = texts.slice(1).filter(() => rnd(4) === 0)
    const sorted = keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    made.push(sorted.flatMap((key) => Array.from({ length: 1 + rnd(3) }, (): [string, string] => [key, texts[rnd(texts.length)]])))
  }
  return made.filter((pairs) => pairs.length > 0)
})()

export function formValue(pairs: readonly [key: string, value: string][]): Record<string, string | string[]> {
  const value: Record<string, string | string[]> = {}
  for (const [key, text] of pairs) value[key] = key in value ? [value[key], text].flat() : text
  return value
}
