import { httpName } from '../../message/naming.ts'

const KEYWORDS = new Set(
  `break default func interface select case defer go map struct chan else goto package switch const fallthrough if range
  type continue for import return var`.split(/\s+/),
)

/** Members of the contexts of Go DMicro. A controller's method of such a name is not registered. */
const OF_CONTEXTS = new Set(
  `AddTFilterId CallCtx Context CopyMeta CostTime Endpoint GetBodyCodec IP Input Output PeekMeta PushCtx RealIP
  ReplyBodyCodec ResetServiceMethod Seq ServiceMethod Session SetBodyCodec SetMeta Swap VisitMeta`.split(/\s+/),
)

/** What names cannot have: of numbers, Go takes decimal digits alone. */
const NO_NAME = /[^\p{L}\p{Nd}]+/u

/** An exported name: its words, each beginning with a capital. */
export function exported(text: string): string {
  const words = text.split(NO_NAME).filter((word) => word !== '')
  // A letter may have a capital of several characters, with marks that are no letters.
  const name = words.map((word) => word.charAt(0).toUpperCase().split(NO_NAME).join('') + word.slice(1)).join('')
  return /^\p{Lu}/u.test(name) ? name : `X${name}`
}

/** Whether something of a package may be named so. */
export function isName(text: string): boolean {
  return /^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(text) && !KEYWORDS.has(text)
}

/** Whether a package may be named so. */
export function isPackageName(text: string): boolean {
  return /^[a-z][a-z0-9_]*$/.test(text) && !KEYWORDS.has(text)
}

/** The package of a service: its name in lower case, which must be no word of the language. */
export function packageOf(service: string): string {
  const name = service.toLowerCase().replaceAll('_', '')
  return isPackageName(name) ? name : `${name}service`
}

/** Names of a controller and of its method. */
export interface ControllerNames {
  readonly type: string
  readonly method: string
}

/**
 * The names by which Go's router, which makes routes of names of types and their methods, makes `route`. Undefined when
 * no names do.
 *
 * @param name name of the method in the contract, which is taken when it fits
 */
export function controllerNames(route: string, name: string): ControllerNames | undefined {
  const segments = route.split('/').slice(1)
  const last = segments.pop()
  if (!route.startsWith('/') || last === undefined || segments.length === 0) return undefined
  const escaped = (segment: string): string => segment.replaceAll('_', '__')
  const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
  const type = capital(segments.map(escaped).join('_'))
  const own = capital(escaped(last))
  const found = [exported(name), own, own.toUpperCase()].find((each) => httpName('', each) === `/${last}` && !OF_CONTEXTS.has(each))
  const isPlain = (text: string | undefined): text is string => text !== undefined && /^[A-Z]\w*$/.test(text)
  return isPlain(type) && isPlain(found) && httpName('', type) === `/${segments.join('/')}` ? { type, method: found } : undefined
}
