// Publishing to listeners of this process, beside the fastest emitter there is, which knows names alone.
import assert from 'node:assert/strict'
import { EventEmitter } from 'eventemitter3'
import { compare, report } from './measure.mjs'
import { load } from './modules.mjs'

const BATCH = 10_000
const MANY = 100
const NAME = 'app.orders.paid'
const data = { id: 1, total: 99 }

const { EventBus } = await load('eventbus/event-bus')

/** What the listeners add to. Each side has a loop of its own, so that V8 learns nothing from the other's. */
const sums = { ours: 0, theirs: 0 }
const listener = (event) => {
  sums.ours += event.data.total
}

const single = new EventBus()
single.on(NAME, listener)
const emitter = new EventEmitter()
emitter.on(NAME, (value) => {
  sums.theirs += value.total
})
single.publish(NAME, data)
emitter.emit(NAME, data)
assert.deepEqual(sums, { ours: data.total, theirs: data.total })

await compare('event bus', '1 listener', BATCH, {
  ours: () => {
    for (let i = 0; i < BATCH; i++) single.publish(NAME, data)
    return sums.ours
  },
  eventemitter3: () => {
    for (let i = 0; i < BATCH; i++) emitter.emit(NAME, data)
    return sums.theirs
  },
})

const many = new EventBus()
const patterns = ['app.orders.*', 'app.**', '*']
for (let i = 0; i < MANY; i++) many.on(patterns[i % patterns.length], listener)
const before = sums.ours
many.publish(NAME, data)
assert.equal(sums.ours - before, MANY * data.total)

await compare('event bus', `${MANY} listeners by ${patterns.length} wildcards`, BATCH / MANY, {
  ours: () => {
    for (let i = 0; i < BATCH / MANY; i++) many.publish(NAME, data)
    return sums.ours
  },
})
report()
