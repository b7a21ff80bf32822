import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BusEvent, EventBus, Priority } from '../../../../src/dserver/eventbus/index.ts'

/** A bus, and a function that makes listeners which note that they ran. */
function recording(): { bus: EventBus; ran: string[]; note: (text: string) => () => void } {
  const ran: string[] = []
  return { bus: new EventBus(), ran, note: (text) => () => void ran.push(text) }
}

describe('order of listeners', () => {
  it('a higher priority runs first', () => {
    const { bus, ran, note } = recording()
    for (const name of ['Min', 'High', 'BelowNormal', 'Max', 'Normal', 'Low', 'AboveNormal'] as const)
      bus.on('app.start', note(name), { priority: Priority[name] })
    bus.on('app.start', note('301'), { priority: 301 })
    bus.publish('app.start')
    assert.deepEqual(ran, ['301', 'Max', 'High', 'AboveNormal', 'Normal', 'BelowNormal', 'Low', 'Min'])
  })

  it('equal priorities run in the order of subscribing, however many there are (E4)', () => {
    const { bus, ran, note } = recording()
    const names = Array.from({ length: 50 }, (_, i) => `${i}`)
    for (const name of names) bus.on('a', note(name), { priority: Number(name) % 2 })
    bus.publish('a')
    assert.deepEqual(ran, [...names.filter((name) => Number(name) % 2), ...names.filter((name) => !(Number(name) % 2))])
  })

  it('the exact name, then its group, then groups of several levels, then *, whatever their priorities', () => {
    const { bus, ran, note } = recording()
    for (const pattern of ['*', 'app.**', 'app.cache.*', 'app.cache.get', '**']) bus.on(pattern, note(pattern), { priority: Priority.Low })
    bus.on('*', note('* first'), { priority: Priority.Max })
    bus.on('app.*.get', note('app.*.get'), { priority: Priority.High })
    bus.publish('app.cache.get')
    assert.deepEqual(ran, ['app.cache.get', 'app.*.get', 'app.cache.*', 'app.**', '* first', '*', '**'])
  })

  it('a listener of several patterns that match gets the event once', () => {
    const { bus, ran, note } = recording()
    bus.on(['*', 'a.b', 'a.*', 'a.b'], note('x'))
    bus.publish('a.b')
    bus.publish('c')
    assert.deepEqual(ran, ['x', 'x'])
  })
})

describe('publish', () => {
  it('reaches listeners of a group alone (E2)', () => {
    const { bus, ran, note } = recording()
    bus.on('app.*', note('group'))
    assert.equal(bus.publish('app.start', 1)?.data, 1)
    assert.deepEqual(ran, ['group'])
    assert.ok(bus.isListened('app.start'))
    assert.ok(!bus.isListened('app'))
  })

  it('reaches a group above the parent by ** (E3)', () => {
    const { bus, ran, note } = recording()
    bus.on('app.*', note('one level'))
    bus.on('app.**', note('all levels'))
    bus.publish('app.cache.get')
    assert.deepEqual(ran, ['all levels'])
  })

  it('returns nothing when nobody listens, also after clear, which keeps the name of the bus (E11)', () => {
    const bus = new EventBus({ name: 'main' })
    assert.equal(bus.publish('a'), undefined)
    bus.on('*', () => assert.fail())
    bus.addEvent('a', { x: 1 })
    bus.clear()
    assert.equal(bus.publish('a'), undefined)
    assert.deepEqual([bus.name, bus.listenedNames(), bus.hasEvent('a')], ['main', [], false])
  })

  it('white space around a name is cut off of the event too (E11)', () => {
    const { bus } = recording()
    bus.addEvent(' a ', { x: 1 })
    bus.on('a ', (event) => assert.deepEqual([event.name, event.data], ['a', { x: 1 }]))
    assert.ok(bus.publish('\ta'))
    assert.ok(bus.hasEvent('a'))
  })

  it('an exception of a listener ends the publish, and is thrown', () => {
    const { bus, ran, note } = recording()
    bus.on('a.b', note('exact'))
    bus.on('a.*', () => {
      throw new Error('no')
    })
    bus.on('*', note('all'))
    assert.throws(() => bus.publish('a.b'), /^Error: no$/)
    assert.deepEqual(ran, ['exact'])
  })

  it('abort ends the publish without an error, and is undone with the next', () => {
    const { bus, ran, note } = recording()
    bus.on('a.b', (event) => event.data === 1 && event.abort())
    bus.on('a.b', note('later'))
    bus.on('*', note('all'))
    assert.equal(bus.publish('a.b', 1)?.aborted, true)
    assert.deepEqual(ran, [])
    assert.equal(bus.publish('a.b', 2)?.aborted, false)
    assert.deepEqual(ran, ['later', 'all'])
  })

  it('state and abort belong to one publish, though they run inside of each other (E7)', () => {
    const bus = new EventBus()
    const seen: unknown[] = []
    bus.addEvent('a', { from: 'registered', extra: 1 })
    bus.on('a', (event) => {
      const data = event.data as { depth: number }
      event.state.set('depth', data.depth)
      if (data.depth < 2) bus.publish('a', { depth: data.depth + 1 })
      else event.abort()
    })
    bus.on('a', (event) => seen.push([event.state.get('depth'), event.data, event.aborted]))
    bus.publish('a', { depth: 0 })
    const data = (depth: number): object => ({ from: 'registered', extra: 1, depth })
    assert.deepEqual(seen, [[1, data(1), false], [0, data(0), false]]) // biome-ignore format: one line
    assert.deepEqual(bus.getEvent('a'), { from: 'registered', extra: 1 })
  })

  it('a registered event cannot be registered twice, and can be removed', () => {
    const bus = new EventBus()
    bus.addEvent('a', { x: 1 })
    assert.throws(() => bus.addEvent('a', {}), /registered already/)
    assert.throws(() => bus.addEvent('b', 1 as never), TypeError)
    bus.on('a', (event) => assert.equal(event.data, undefined))
    assert.deepEqual([bus.removeEvent('a'), bus.removeEvent('a'), bus.getEvent('a')], [true, false, undefined])
    assert.ok(bus.publish('a'))
  })

  it('a batch reports the error of each item and no other, also for an item of no known kind (E9)', () => {
    const { bus, ran, note } = recording()
    bus.on('bad', () => {
      throw new Error('bad')
    })
    bus.on('good', note('good'))
    const results = bus.publishBatch(['bad', 7 as never, 'good', ['good', 1], 'none', ['*', 1], {} as never])
    assert.deepEqual(
      results.map(({ event, error }) => event?.name ?? (error as Error | undefined)?.message),
      [
        'bad',
        'not a name of an event: undefined',
        'good',
        'good',
        undefined,
        'not a name of an event: "*"',
        'not a name of an event: undefined',
      ],
    )
    assert.deepEqual(ran, ['good', 'good'])
  })

  it('an alias is another name of the same events; each listener gets its own name, and once', () => {
    const bus = new EventBus()
    const seen: string[] = []
    const note = (event: BusEvent): unknown => seen.push(event.name)
    bus.on('go_name', note)
    bus.on('*', note)
    assert.ok(bus.publish('go_name'))
    bus.alias('go_name', 'go.name')
    bus.alias('go_name', 'go.name')
    bus.on('go.*', note)
    bus.on('go.name', note)
    seen.length = 0
    bus.publish('go.name')
    bus.publish('go_name')
    const each = ['go_name', 'go.name', 'go.name', 'go.name']
    assert.deepEqual(seen, [...each, ...each])
    for (const [alias, name] of [['go_name', 'x'], ['x', 'go_name'], ['go.name', 'x'], ['x', 'x']]) // biome-ignore format: one line
      assert.throws(() => bus.alias(alias, name), /cannot become an alias/)
    bus.on('go_name', (event) => {
      event.state.set('seen', event.name)
      event.abort()
    })
    seen.length = 0
    const event = bus.publish('go.name')
    assert.deepEqual([event?.aborted, event?.state.get('seen'), event?.name, seen], [true, 'go_name', 'go.name', ['go_name', 'go.name']])
  })

  it('a view of an event under an alias is a BusEvent', () => {
    const bus = new EventBus()
    bus.alias('b', 'a')
    bus.on('b', (event) => assert.ok(event instanceof BusEvent))
    assert.ok(bus.publish('a'))
  })
})

describe('removing listeners', () => {
  it('the only listener of a name is removed, and so are all equal ones (E1)', () => {
    const { bus, ran, note } = recording()
    const only = bus.on('a', note('only'))
    only.unsubscribe()
    only.unsubscribe()
    assert.equal(only.active, false)
    const same = note('same')
    for (let i = 0; i < 3; i++) bus.on('a', same)
    assert.equal(bus.off('a', same), 3)
    assert.equal(bus.publish('a'), undefined)
    assert.deepEqual([ran, bus.listenedNames(), bus.hasListeners('a')], [[], [], false])
  })

  it('closures of one literal are different listeners (E5)', () => {
    const { bus, ran, note } = recording()
    const [first, second] = [note('first'), note('second')]
    bus.on('a', first)
    bus.on('a', second)
    assert.equal(bus.off('a', first), 1)
    bus.publish('a')
    assert.deepEqual(ran, ['second'])
  })

  it('by name, by listener everywhere, and counted', () => {
    const { bus, note } = recording()
    const listener = note('x')
    bus.on(['a', 'b.*'], listener)
    bus.on('a', note('y'))
    bus.on('*', listener)
    assert.deepEqual([bus.listenerCount('a'), bus.listenerCount('b.*'), bus.listenerCount('b.c')], [2, 1, 0])
    assert.deepEqual(bus.listenedNames(), ['a', 'b.*', '*'])
    assert.equal(bus.offEverywhere(listener), 2)
    assert.deepEqual(bus.listenedNames(), ['a'])
    assert.deepEqual([bus.off('a'), bus.off('a'), bus.listenerCount('a')], [1, 0, 0])
  })

  it('at the end of a block by its dispose method, and by an AbortSignal', () => {
    const { bus, ran, note } = recording()
    {
      using subscription = bus.on('a', note('in the block'))
      assert.ok(subscription.active)
      bus.publish('a')
    }
    assert.deepEqual(ran.splice(0), ['in the block'])
    const controller = new AbortController()
    const one = bus.on('a', note('aborted'), { signal: controller.signal })
    const other = bus.once(['a', '*'], note('aborted'), { signal: controller.signal })
    controller.abort()
    assert.deepEqual([one.active, other.active], [false, false])
    assert.equal(bus.on('a', note('late'), { signal: controller.signal }).active, false)
    bus.publish('a')
    assert.deepEqual([ran, bus.listenedNames()], [[], []])
  })

  it('once: for one event, removed before it runs, so that it may publish the same event', () => {
    const { bus, ran } = recording()
    const subscription = bus.once(['a', 'b'], () => {
      ran.push('once')
      bus.publish('a')
    })
    bus.publish('a')
    bus.publish('b')
    assert.deepEqual([ran, subscription.active], [['once'], false])
  })
})

describe('a publish under way', () => {
  it('does not call a listener that was removed meanwhile', () => {
    const { bus, ran, note } = recording()
    bus.on('a.b', () => later.map((each) => each.unsubscribe()))
    const later = [bus.on('a.b', note('same list')), bus.on('a.*', note('group')), bus.on('*', note('all'))]
    bus.publish('a.b')
    assert.deepEqual(ran, [])
  })

  it('calls a listener that was added to a list that has not begun, as in Go, and no other', () => {
    const { bus, ran, note } = recording()
    const last = bus.once('a.b', () => {
      bus.on('a.b', note('same list'))
      bus.on('*', note('all'))
      bus.on('a.*', note('group'))
      last.unsubscribe()
      removed.unsubscribe()
    })
    const removed = bus.on('a.b', note('removed'))
    bus.publish('a.b')
    assert.deepEqual(ran, ['group', 'all'])
    ran.length = 0
    bus.publish('a.b')
    assert.deepEqual(ran, ['same list', 'group', 'all'])
  })

  it('ends, though a listener adds one like itself each time', () => {
    const bus = new EventBus()
    let runs = 0
    const add = (): void => {
      runs++
      for (const pattern of ['a.b', 'a.*', '*']) bus.on(pattern, add)
    }
    bus.on('a.b', add)
    bus.publish('a.b')
    assert.equal(runs, 1 + 1 + 2)
  })
})
