import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { Registry, Service } from '../../../../src/rpc/registry/registry.ts'

/** A registry under test. */
export interface Subject {
  readonly registry: Registry
  /** Puts a service in, as a server or an operator would. Absent where nothing ever changes. */
  readonly add?: (service: Service) => Promise<void>
  /** Takes its nodes out. */
  readonly remove?: (service: Service) => Promise<void>
  /** False where services cannot be listed. */
  readonly lists?: false
  /** False where the paths of nodes are not kept. */
  readonly paths?: false
  /** False where metadata of services is not kept. */
  readonly metadata?: false
  /** False where versions and metadata of nodes are not kept. */
  readonly details?: false
}

const CLOSED = { code: 1, cause: /it is closed$/ }

/** A service with a node at each of the ports. */
export function service(name: string, ports: readonly number[], more: Partial<Service> = {}): Service {
  const nodes = ports.map((port) => ({
    id: `${name}-127.0.0.1:${port}`,
    address: `127.0.0.1:${port}`,
    paths: ['/math/add', '/math/tell'],
    metadata: { registry: 'test', server: name },
  }))
  return { name, version: '1.0.0', metadata: { team: 'a' }, nodes, ...more }
}

/** Addresses of all nodes, sorted. */
export function addresses(services: readonly Service[]): string[] {
  return services.flatMap(({ nodes }) => nodes.map(({ address }) => address)).sort()
}

export type Watch = AsyncIterator<readonly Service[]>

export function open(registry: Registry, name: string, signal?: AbortSignal): Watch {
  return registry.watch(name, signal && { signal })[Symbol.asyncIterator]()
}

/** The next services of a watch. Fails when it has ended. */
export async function next(watch: Watch): Promise<readonly Service[]> {
  const result = await watch.next()
  assert.equal(result.done ?? false, false)
  return result.value
}

/** Reads a watch until its nodes have these addresses. */
export async function until(watch: Watch, expected: readonly string[]): Promise<readonly Service[]> {
  for (;;) {
    const services = await next(watch)
    if (addresses(services).join() === expected.join()) return services
  }
}

/** Reads a lookup until its nodes have these addresses, for registries where what is registered takes a while. */
async function found(registry: Registry, name: string, expected: readonly string[]): Promise<readonly Service[]> {
  const services = await registry.getService(name)
  if (addresses(services).join() === expected.join()) return services
  const watch = open(registry, name)
  const latest = await until(watch, expected)
  await watch.return?.()
  return latest
}

/**
 * What every registry keeps to.
 * @param make makes a registry in which `services` are found, and closes it when the test ends
 */
export function contract(kind: string, make: (t: TestContext, services: readonly Service[]) => Promise<Subject>): void {
  suite(`${kind} keeps to the contract of registries`, () => {
    test('a name that nobody serves is an empty list, no error', async (t) => {
      const { registry } = await make(t, [service('math', [1])])
      assert.deepEqual(addresses(await registry.getService('other')), [])
    })

    test('a service is found with all its nodes, and with what the registry keeps of them', async (t) => {
      const given = service('math', [1, 2])
      const { registry, paths, metadata, details } = await make(t, [given])
      const [only, ...others] = await found(registry, 'math', ['127.0.0.1:1', '127.0.0.1:2'])
      assert.equal(others.length, 0)
      assert.equal(only.name, 'math')
      assert.equal(new Set(only.nodes.map(({ id }) => id)).size, 2)
      if (details !== false) assert.equal(only.version, '1.0.0')
      assert.deepEqual(only.metadata, metadata === false ? {} : { team: 'a' })
      for (const node of only.nodes) {
        if (details !== false) assert.deepEqual(node.metadata, { registry: 'test', server: 'math' })
        assert.deepEqual(node.paths, paths === false ? undefined : ['/math/add', '/math/tell'])
      }
    })

    test('services are listed by name', async (t) => {
      const { registry, lists } = await make(t, [service('text', [3]), service('math', [1])])
      if (lists === false) await assert.rejects(registry.listServices(), { code: 1 })
      else
        assert.deepEqual(
          (await registry.listServices()).map(({ name }) => name),
          ['math', 'text'],
        )
    })

    test('a watch begins with what is there now', async (t) => {
      const { registry } = await make(t, [service('math', [1])])
      const watch = open(registry, 'math')
      await until(watch, ['127.0.0.1:1'])
      await watch.return?.()
    })

    test('a watch of a name that nobody serves begins with an empty list', async (t) => {
      const { registry } = await make(t, [])
      const watch = open(registry, 'other')
      assert.deepEqual(addresses(await next(watch)), [])
      await watch.return?.()
    })

    test('a signal ends a watch that waits, and one that has not begun', async (t) => {
      const { registry } = await make(t, [service('math', [1])])
      const controller = new AbortController()
      const watch = open(registry, 'math', controller.signal)
      await until(watch, ['127.0.0.1:1'])
      const waiting = watch.next()
      controller.abort()
      assert.equal((await waiting).done, true)
      for await (const _ of registry.watch('math', { signal: controller.signal })) assert.fail('it has ended')
    })

    test('an operation whose signal has fired rejects with its reason', async (t) => {
      const { registry } = await make(t, [])
      const signal = AbortSignal.abort(new Error('enough'))
      const given = service('math', [1])
      await assert.rejects(registry.getService('math', { signal }), /enough/)
      await assert.rejects(registry.listServices({ signal }), /enough/)
      await assert.rejects(registry.register(given, { signal }), /enough/)
      await assert.rejects(registry.deregister(given, { signal }), /enough/)
    })

    test('a name that is no text, and a service that is none, are refused', async (t) => {
      const { registry } = await make(t, [])
      await assert.rejects(registry.getService(''), TypeError)
      await assert.rejects(registry.getService(7 as unknown as string), TypeError)
      assert.throws(() => registry.watch(''), TypeError)
      for (const bad of [{}, { name: 'x' }, service('', [1]), { ...service('x', [1]), version: 7 }, { ...service('x', []), nodes: [{}] }])
        await assert.rejects(registry.register(bad as Service), TypeError)
    })

    test('after close nothing is answered, and watches end by an error', async (t) => {
      const { registry } = await make(t, [service('math', [1])])
      const watch = open(registry, 'math')
      await until(watch, ['127.0.0.1:1'])
      const waiting = watch.next()
      await Promise.all([assert.rejects(waiting, CLOSED), registry.close()])
      await assert.rejects(registry.getService('math'), CLOSED)
      await assert.rejects(registry.register(service('math', [1])), CLOSED)
      await assert.rejects(open(registry, 'math').next(), CLOSED)
      await registry.close()
    })

    changes(make)
  })
}

/** The part of the contract that registries without changes do not have. */
function changes(make: (t: TestContext, services: readonly Service[]) => Promise<Subject>): void {
  test('a watch gets all nodes after every change, and so do all its readers', async (t) => {
    const { registry, add, remove } = await make(t, [service('math', [1])])
    if (add === undefined || remove === undefined) return t.skip('nothing changes')
    const watches = [open(registry, 'math'), open(registry, 'math')]
    for (const watch of watches) await until(watch, ['127.0.0.1:1'])
    await add(service('math', [2]))
    for (const watch of watches) await until(watch, ['127.0.0.1:1', '127.0.0.1:2'])
    await remove(service('math', [1]))
    for (const watch of watches) await until(watch, ['127.0.0.1:2'])
    await remove(service('math', [2]))
    for (const watch of watches) await until(watch, [])
    for (const watch of watches) await watch.return?.()
  })

  test('what was taken out is not found any more, and taking it out twice is no error', async (t) => {
    const { registry, add, remove } = await make(t, [service('math', [1, 2])])
    if (add === undefined || remove === undefined) return t.skip('nothing changes')
    await found(registry, 'math', ['127.0.0.1:1', '127.0.0.1:2'])
    await remove(service('math', [1]))
    await remove(service('math', [1]))
    await found(registry, 'math', ['127.0.0.1:2'])
  })

  test('versions of one name are elements of their own', async (t) => {
    const { registry, add, details } = await make(t, [service('math', [1])])
    if (add === undefined || details === false) return t.skip('there is one version')
    await add(service('math', [2], { version: '2.0.0' }))
    const services = await found(registry, 'math', ['127.0.0.1:1', '127.0.0.1:2'])
    assert.deepEqual(services.map(({ version }) => version).sort(), ['1.0.0', '2.0.0'])
  })

  test('registering a node once more with other metadata replaces it', async (t) => {
    const { registry, add, details } = await make(t, [service('math', [1])])
    if (add === undefined || details === false) return t.skip('nothing changes')
    const watch = open(registry, 'math')
    await until(watch, ['127.0.0.1:1'])
    const [node] = service('math', [1]).nodes
    await add({ ...service('math', []), nodes: [{ ...node, metadata: { zone: 'b' } }] })
    let services: readonly Service[]
    do services = await next(watch)
    while (services[0]?.nodes[0]?.metadata.zone !== 'b')
    assert.deepEqual(addresses(services), ['127.0.0.1:1'])
    await watch.return?.()
  })

  test('a reader that was slow gets the latest only', async (t) => {
    const { registry, add } = await make(t, [])
    if (add === undefined) return t.skip('nothing changes')
    const [slow, fast] = [open(registry, 'math'), open(registry, 'math')]
    await next(slow)
    await next(fast)
    for (const port of [1, 2, 3]) {
      await add(service('math', [port]))
      await until(
        fast,
        [1, 2, 3].slice(0, port).map((each) => `127.0.0.1:${each}`),
      )
    }
    assert.deepEqual(addresses(await next(slow)), ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'])
    await slow.return?.()
    await fast.return?.()
  })
}
