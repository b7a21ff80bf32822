import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

/**
 * True while the code that runs was called by `runInRoot` and has entered no store of an `AsyncLocalStorage` since.
 * Then a nested call of `runInRoot` can be left out. Always false where entering a store cannot be detected.
 */
export let untouched = false

/** An async context outside of all stores. */
interface Root {
  readonly resource: AsyncResource
  /** Whether entering a store inside of this context is detected. */
  readonly detects: boolean
  /** Stores that were set on the resource itself; they are cleared when `runInRoot` returns. */
  readonly stores: Cell[]
}

/** The value of one store, kept behind a property of the resource. */
interface Cell {
  value: unknown
}

/**
 * A resource that is reported as destroyed at once, because tools that look for what keeps a process alive, such as
 * jest's `--detectOpenHandles`, would wait for its end otherwise.
 */
function nobodysResource(): AsyncResource {
  const resource = new AsyncResource('dmicro', nobodys)
  resource.emitDestroy()
  return resource
}

const { runInAsyncScope } = AsyncResource.prototype
/** Options of a resource that no other resource triggered and that lives as long as the process. */
const nobodys = { triggerAsyncId: 0, requireManualDestroy: true } as const
/** Most storages that a resource keeps properties for. */
const MAX_KNOWN = 1000
/**
 * One root for each call of `runInRoot` on the stack, because where stores hang on resources, the outer roots may have
 * some.
 */
const roots: Root[] = []
let depth = 0
const makeRoot = rootMaker()

/**
 * Calls `run` in the root context: outside of any store, whatever context the caller is in. Stores that `run` enters
 * are left when it returns. Costs some 20 ns.
 *
 * Everything that the library runs on behalf of no single caller passes here: messages, turns, timers, events.
 */
export function runInRoot<This, Args extends unknown[], Result>(
  run: (this: This, ...args: Args) => Result,
  self: This,
  ...args: Args
): Result {
  const before = untouched
  if (depth === roots.length) roots.push(makeRoot())
  const { resource, detects, stores } = roots[depth++]
  untouched = detects
  try {
    return runInAsyncScope.call(resource, run as never, self, ...args) as Result
  } finally {
    depth--
    untouched = before
    if (stores.length > 0) for (const cell of stores.splice(0)) cell.value = undefined
  }
}

/**
 * Picks the way to make roots for this runtime. Node.js keeps stores in one of two ways. Before version 24 each hangs
 * on the async resource that runs, as a property. From 24 on all of them are one map, the frame, which is copied when a
 * store is entered, and which a resource captures when it is made. Neither is public, but both are found without a name
 * of Node's own. Where neither is found, `untouched` stays false and `runInRoot` is called for each message.
 */
function rootMaker(): () => Root {
  // In Bun and Deno resources only name callbacks.
  if (process.versions.bun !== undefined || process.versions.deno !== undefined) return plainRoot
  if ('_enable' in AsyncLocalStorage.prototype) return resourceRoot
  const root = frameRoot()
  return () => root
}

function plainRoot(): Root {
  return { resource: nobodysResource(), detects: false, stores: [] }
}

/**
 * A root for Node.js before 24. Properties that the resource lacks are looked up in a proxy behind it. The proxy turns
 * each property that is asked for into an accessor in front of itself, which V8 reads as fast as any other, and which
 * notes what is set.
 */
function resourceRoot(): Root {
  const resource = nobodysResource()
  const values = resource as unknown as Record<PropertyKey, unknown>
  // The resource has its two ids first, then the stores in which it was made: remove those.
  const keys = Reflect.ownKeys(resource)
  const ids = keys.findIndex((key) => values[key] === resource.asyncId())
  for (const key of keys.slice(ids + 2)) delete values[key]
  const stores: Cell[] = []
  Object.setPrototypeOf(resource, watched(resource, stores))
  return { resource, detects: true, stores }
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
  /**
   * Replaces a full proxy by a new one, so that a program that keeps making storages does not let this grow without
   * bound.
   */
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

/** A root for Node.js 24 and later: the frame of the resource is emptied, and its iterator notes when it is copied. */
function frameRoot(): Root {
  let resource = nobodysResource()
  const mark = new AsyncLocalStorage<object>()
  const id = {}
  // In a scope of its own, so that the importing module does not end up in the store.
  resource.runInAsyncScope(() => {
    mark.enterWith(id)
    resource = nobodysResource()
  })
  const frame = Reflect.ownKeys(resource)
    .map((key) => (resource as unknown as Record<PropertyKey, Partial<Map<unknown, unknown>> | undefined>)[key])
    .find((value) => value?.get?.(mark) === id) as Map<unknown, unknown> | undefined
  if (frame === undefined) return plainRoot()
  frame.clear()
  // The iterator goes on an object between the map and its prototype: on the map itself it would make V8 slow down all
  // maps of the process.
  const copied = {
    value() {
      untouched = false
      return [].values()
    },
  }
  Object.setPrototypeOf(frame, Object.create(Object.getPrototypeOf(frame), { [Symbol.iterator]: copied }))
  let detects = false
  resource.runInAsyncScope(() => {
    untouched = true
    mark.enterWith(id)
    detects = !untouched
    untouched = false
  })
  return { resource, detects, stores: [] }
}
