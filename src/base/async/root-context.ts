import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

/**
 * What runs now was called by `runInRoot` and has entered no store of an `AsyncLocalStorage` since: what comes next need not be called by it again.
 * Always false where nothing would tell of a store that is entered.
 */
export let untouched = false

/** An async context outside of all stores, and whether it tells when code that runs in it enters one. */
interface Root {
  readonly resource: AsyncResource
  readonly tells: boolean
  /** Stores that were hung on the resource itself: they go when it is left. */
  readonly stores: Cell[]
}

/** A property of a resource. */
interface Cell {
  value: unknown
}

/** Told to be over at once: tools that look for what keeps a process alive, such as jest's `--detectOpenHandles`, would wait for its end. */
function nobodysResource(): AsyncResource {
  const resource = new AsyncResource('dmicro', nobodys)
  resource.emitDestroy()
  return resource
}

const { runInAsyncScope } = AsyncResource.prototype
/** Nobody made it, and it lives as long as the process. */
const nobodys = { triggerAsyncId: 0, requireManualDestroy: true } as const
/** Storages that a resource knows at once. */
const MAX_KNOWN = 1000
/** One for each call of `runInRoot` that is on the stack: where stores hang on resources, the outer ones may have some. */
const roots: Root[] = []
let depth = 0
const makeRoot = rootMaker()

/**
 * Calls `run` in the root context: outside of any store, whatever the caller is in, and what it enters is gone when it returns. Costs some 20 ns.
 * Everything that the library runs for nobody in particular passes here: messages, turns, timers, events.
 */
export function runInRoot<This, Args extends unknown[], Result>(
  run: (this: This, ...args: Args) => Result,
  self: This,
  ...args: Args
): Result {
  const before = untouched
  if (depth === roots.length) roots.push(makeRoot())
  const { resource, tells, stores } = roots[depth++]
  untouched = tells
  try {
    return runInAsyncScope.call(resource, run as never, self, ...args) as Result
  } finally {
    depth--
    untouched = before
    if (stores.length > 0) for (const cell of stores.splice(0)) cell.value = undefined
  }
}

/**
 * Node.js keeps stores in one of two ways. Before version 24 each hangs on the async resource that runs, as a property; from 24 on all of them are
 * one map, the frame, which is copied when a store is entered, and which a resource takes over from where it is made. Neither is public, but both are
 * found without a name of Node's own, and where neither is, each message is called anew.
 */
function rootMaker(): () => Root {
  // Elsewhere resources are nothing but the names of callbacks.
  if (process.versions.bun !== undefined || process.versions.deno !== undefined) return plainRoot
  if ('_enable' in AsyncLocalStorage.prototype) return resourceRoot
  const root = frameRoot()
  return () => root
}

function plainRoot(): Root {
  return { resource: nobodysResource(), tells: false, stores: [] }
}

/**
 * Properties that the resource lacks are looked for in a proxy behind it. It makes each that it is asked for an accessor in front of itself, which V8
 * reads as fast as any, and which notes what is set.
 */
function resourceRoot(): Root {
  const resource = nobodysResource()
  const values = resource as unknown as Record<PropertyKey, unknown>
  // Behind its two ids stand the stores in which it was made.
  const keys = Reflect.ownKeys(resource)
  const ids = keys.findIndex((key) => values[key] === resource.asyncId())
  for (const key of keys.slice(ids + 2)) delete values[key]
  const stores: Cell[] = []
  Object.setPrototypeOf(resource, watched(resource, stores))
  return { resource, tells: true, stores }
}

function watched(resource: object, stores: Cell[]): object {
  let known = 0
  const learn = (key: PropertyKey): void => {
    known++
    const cell: Cell = { value: undefined }
    const get = (): unknown => cell.value
    const set = (value: unknown): void => {
      untouched = false
      if (!stores.includes(cell)) stores.push(cell)
      cell.value = value
    }
    Object.defineProperty(front, key, { get, set, enumerable: true, configurable: true })
  }
  /** Who makes storages without end does not make this grow: another one takes its place. */
  const isFull = (): boolean =>
    known >= MAX_KNOWN && stores.length === 0 && Object.setPrototypeOf(resource, watched(resource, stores)) === resource
  const proxy = new Proxy(AsyncResource.prototype, {
    getPrototypeOf: () => AsyncResource.prototype,
    get(target, key) {
      if (typeof key === 'symbol' && !(key in target) && !isFull()) learn(key)
      return Reflect.get(target, key)
    },
    set(_target, key, value, receiver) {
      if (isFull()) return Reflect.set(resource, key, value)
      learn(key)
      return Reflect.set(front, key, value, receiver)
    },
  })
  const front: object = Object.create(proxy)
  return front
}

/** The frame of the resource is emptied, and tells when it is copied. */
function frameRoot(): Root {
  let resource = nobodysResource()
  const mark = new AsyncLocalStorage<object>()
  const id = {}
  // In a scope of its own, so that whoever imports this gets no store.
  resource.runInAsyncScope(() => {
    mark.enterWith(id)
    resource = nobodysResource()
  })
  const frame = Reflect.ownKeys(resource)
    .map((key) => (resource as unknown as Record<PropertyKey, Partial<Map<unknown, unknown>> | undefined>)[key])
    .find((value) => value?.get?.(mark) === id) as Map<unknown, unknown> | undefined
  if (frame === undefined) return plainRoot()
  frame.clear()
  // On an object between the map and its prototype: on the map itself it would make V8 doubt all maps of the process.
  const copied = {
    value() {
      untouched = false
      return [].values()
    },
  }
  Object.setPrototypeOf(frame, Object.create(Object.getPrototypeOf(frame), { [Symbol.iterator]: copied }))
  let tells = false
  resource.runInAsyncScope(() => {
    untouched = true
    mark.enterWith(id)
    tells = !untouched
    untouched = false
  })
  return { resource, tells, stores: [] }
}
