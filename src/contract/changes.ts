import type { Described, DescribeOptions, MethodDescription } from './description.ts'
import { misfits } from './fits.ts'
import { canonical, type JsonSchema } from './json-schema.ts'
import { described } from './services.ts'

/** One change between two versions of a contract. */
export interface Change {
  /** Whether a peer of the old version may fail by it. */
  readonly breaking: boolean
  /** The method, `toClient.` and the method, or '' for the service itself. */
  readonly method: string
  /** The change in words. */
  readonly text: string
}

/**
 * The changes between two versions of a service, in the order of the contract. Breaking are those by which a client of
 * the old version may fail at a server of the new one.
 *
 * @throws TypeError for schemas that JSON Schema cannot say
 */
export function changes(before: Described, after: Described, options: DescribeOptions = {}): Change[] {
  const [old, now] = [described(before, options), described(after, options)]
  const found: Change[] = []
  if (old.name !== now.name) found.push({ breaking: false, method: '', text: `the service was ${old.name} and is ${now.name}` })
  compareMethods(old.methods, now.methods, '', false, found)
  compareMethods(old.toClient, now.toClient, 'toClient.', true, found)
  return found
}

/**
 * @param reversed for methods that clients serve: the old version is the callee, and lacks new methods
 */
function compareMethods(
  old: readonly MethodDescription[],
  now: readonly MethodDescription[],
  prefix: string,
  reversed: boolean,
  found: Change[],
): void {
  const later = new Map(now.map((each) => [each.name, each]))
  const earlier = new Set(old.map(({ name }) => name))
  for (const method of old) {
    const after = later.get(method.name)
    const name = `${prefix}${method.name}`
    if (after === undefined) found.push({ breaking: !reversed, method: name, text: 'was removed' })
    else compareMethod(method, after, name, reversed, found)
  }
  for (const { name, kind } of now)
    if (!earlier.has(name))
      found.push({
        breaking: reversed,
        method: `${prefix}${name}`,
        text: reversed ? `was added: a ${kind} that old clients lack` : 'was added',
      })
}

function compareMethod(old: MethodDescription, now: MethodDescription, method: string, reversed: boolean, found: Change[]): void {
  const add = (breaking: boolean, text: string): void => void found.push({ breaking, method, text })
  if (old.kind !== now.kind) {
    add(true, `was a ${old.kind} and is a ${now.kind}`)
    return
  }
  if (old.route !== now.route) add(true, `was at ${old.route} and is at ${now.route}`)
  // An argument goes from the caller to the callee, a result back; in `toClient` the caller is the new version.
  const [caller, callee] = reversed ? [now, old] : [old, now]
  compareBodies(old.arg, now.arg, 'argument', bodiesMisfit(caller.arg, callee.arg), add)
  if (old.kind === 'call')
    compareBodies(old.result ?? null, now.result ?? null, 'result', bodiesMisfit(callee.result ?? null, caller.result ?? null, true), add)
  compareErrors(old, now, add)
  if (old.safe === true && now.safe !== true) add(true, 'is no longer safe, so GET is refused')
  if (old.idempotent === true && now.idempotent !== true) add(true, 'is no longer idempotent, and old clients retry it')
  if (old.callable === true && now.callable !== true) add(true, 'is no longer callable')
  if (old.deprecated === undefined && now.deprecated !== undefined) add(false, 'is deprecated')
}

function bodiesMisfit(from: JsonSchema | null, into: JsonSchema | null, tolerant = false): string[] {
  if (from === null && into === null) return []
  if (into === null) return [] // a body that nobody reads
  if (from === null) return ['there is none, where one is expected']
  return misfits({ schema: from, root: from }, { schema: into, root: into, tolerant })
}

function compareBodies(
  old: JsonSchema | null,
  now: JsonSchema | null,
  side: string,
  reasons: readonly string[],
  add: (breaking: boolean, text: string) => void,
): void {
  for (const reason of reasons) add(true, `${side}: ${reason}`)
  if (reasons.length === 0 && canonical(old) !== canonical(now)) add(false, `${side}: changed, and old peers can go on`)
}

function compareErrors(old: MethodDescription, now: MethodDescription, add: (breaking: boolean, text: string) => void): void {
  const later = new Map((now.errors ?? []).map((each) => [each.name, each]))
  const earlier = new Set((old.errors ?? []).map(({ name }) => name))
  for (const error of old.errors ?? []) {
    const after = later.get(error.name)
    if (after === undefined) add(false, `error ${error.name} is no longer declared`)
    else if (after.code !== error.code) add(true, `error ${error.name} had code ${error.code} and has ${after.code}`)
    else
      for (const reason of bodiesMisfit(after.details ?? null, error.details ?? null, true))
        add(true, `details of error ${error.name}: ${reason}`)
  }
  for (const { name, code } of now.errors ?? []) if (!earlier.has(name)) add(false, `error ${name} (${code}) is declared now`)
}
