import { textOf } from '../../base/errors/error-text.ts'
import { badMessage, StatusError } from '../../base/errors/status.ts'
import { Lazy } from '../../base/lazy.ts'
import { MAX_XML_NODES } from '../../base/limits.ts'
import { readScalar } from './scalars.ts'

/** The parts of saxes that are used here; its own declarations do not pass the compiler. */
interface Parser {
  ENTITIES: Record<string, string>
  on(event: 'opentag', handler: (tag: Tag) => void): void
  on(event: 'attribute' | 'closetag' | 'doctype', handler: () => void): void
  on(event: 'text' | 'cdata', handler: (text: string) => void): void
  on(event: 'xmldecl', handler: (declaration: { encoding?: string }) => void): void
  write(text: string): Parser
  close(): void
}

interface Tag {
  name: string
  attributes: Record<string, string>
}

type Node = Record<string, unknown>

/** An element that has begun and not ended. */
interface Open {
  name: string
  /** Undefined while the element has neither attributes nor elements. */
  node: Node | undefined
  hasElements: boolean
  text: string
}

/** saxes, loaded with the first document. */
export const saxes = new Lazy<{ SaxesParser: new () => Parser }>('saxes', () => import('saxes'))

/**
 * Reads one document.
 * @throws StatusError 400
 */
export function readXml(text: string, maxDepth: number): unknown {
  refuseDoctype(text)
  const { SaxesParser } = saxes.module
  const builder = new Builder(maxDepth)
  const parser = new SaxesParser()
  // The parser's own table has a prototype, so that &constructor; would be an entity.
  parser.ENTITIES = entities
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) refuse('the encoding must be UTF-8')
  })
  parser.on('doctype', () => refuse(noDoctype))
  parser.on('attribute', () => builder.count())
  parser.on('opentag', (tag) => builder.open(tag))
  parser.on('closetag', () => builder.close())
  parser.on('text', (piece) => builder.text(piece))
  parser.on('cdata', (piece) => builder.text(piece))
  try {
    parser.write(text).close()
  } catch (error) {
    throw error instanceof StatusError ? error : badMessage(`xml: ${textOf(error)}`)
  }
  return builder.result
}

const noDoctype = 'a DOCTYPE is not allowed'

/** Refuses a DOCTYPE before the root is read: the parser reports a DOCTYPE only after reading all of it. */
function refuseDoctype(text: string): void {
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    if (text.startsWith('<!DOCTYPE', at)) refuse(noDoctype)
    if (text.startsWith('<?', at)) at = text.indexOf('?>', at + 2)
    else if (text.startsWith('<!--', at)) at = text.indexOf('-->', at + 4)
    else return
    if (at < 0) return
  }
}

const entities: Record<string, string> = Object.assign(Object.create(null), { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" })

class Builder {
  result: unknown
  readonly #maxDepth: number
  readonly #stack: Open[] = []
  #nodes = 0

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth
  }

  open({ name, attributes }: Tag): void {
    if (this.#stack.length >= this.#maxDepth) refuse(`nests deeper than ${this.#maxDepth}`)
    let node: Node | undefined
    for (const key of Object.keys(attributes)) {
      node ??= emptyNode()
      node[`@${key}`] = attributes[key]
    }
    this.count()
    this.#stack.push({ name, node, hasElements: false, text: '' })
  }

  text(piece: string): void {
    const open = this.#stack.at(-1)
    if (open !== undefined) open.text += piece
  }

  close(): void {
    const { name, node, hasElements, text } = this.#stack.pop() as Open
    // White space between elements is layout.
    if (node !== undefined && (hasElements ? /\S/.test(text) : text !== '')) node['#text'] = text
    const parent = this.#stack.at(-1)
    if (parent !== undefined) {
      parent.hasElements = true
      parent.node ??= emptyNode()
      add(parent.node, name, node ?? text)
      return
    }
    this.result = node === undefined ? readScalar(name, text) : undefined
    if (this.result === undefined) this.result = Object.assign(emptyNode(), { [name]: node ?? text })
  }

  /** Counts an element or attribute. The parser reports the attributes of a tag one by one, before the tag. */
  count(): void {
    if (++this.#nodes > MAX_XML_NODES) refuse(`more than ${MAX_XML_NODES} elements and attributes`)
  }
}

/** Adds a child. The second element of a name makes a list of both. */
function add(node: Node, name: string, value: unknown): void {
  const held = node[name]
  if (held === undefined) node[name] = value
  else if (Array.isArray(held)) held.push(value)
  else node[name] = [held, value]
}

function emptyNode(): Node {
  return Object.create(null)
}

function refuse(reason: string): never {
  throw badMessage(`xml: ${reason}`)
}
