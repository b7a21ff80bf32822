import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../../../src/base/limits.ts'
import { type EndpointOptions, http } from '../../../src/index.ts'
import { readOptions } from '../../../src/session/options.ts'

test('the defaults are those that design and documentation name', () => {
  const settings = readOptions({})
  assert.deepEqual(settings.limits, defaultLimits)
  assert.equal(settings.limits.maxMessage, 16 * 1024 * 1024)
  const { timeout, dialTimeout, closeTimeout, busyPoll, exposeErrors, transport } = settings
  assert.deepEqual(
    { timeout, dialTimeout, closeTimeout, busyPoll, exposeErrors, transport },
    {
      timeout: 30_000,
      dialTimeout: 10_000,
      closeTimeout: 5_000,
      busyPoll: 0,
      exposeErrors: false,
      transport: 'auto',
    },
  )
  assert.equal(settings.codec.name, 'json')
})

test('contextAge is accepted as the old name of handlerTimeout, but not together with it', () => {
  assert.equal(readOptions({ contextAge: 70 }).handlerTimeout, 70)
  assert.equal(readOptions({ contextAge: Number.POSITIVE_INFINITY }).handlerTimeout, 0)
  assert.equal(readOptions({ contextAge: undefined, handlerTimeout: 80 }).handlerTimeout, 80)
  const both = new TypeError('option contextAge is the old name of handlerTimeout: give only one of them')
  assert.throws(() => readOptions({ contextAge: 70, handlerTimeout: 70 }), both)
  assert.throws(() => readOptions({ contextAge: -1 }), /option contextAge must be 0 to/)
})

const wrong: [EndpointOptions, RegExp][] = [
  [{ timeuot: 5 } as EndpointOptions, /unknown option "timeuot"/],
  [null as unknown as EndpointOptions, /options must be an object/],
  [{ timeout: -1 }, /timeout must be 0 to/],
  [{ timeout: Number.NaN }, /timeout/],
  [{ timeout: 2 ** 31 }, /timeout/],
  [{ timeout: '5' as unknown as number }, /timeout/],
  [{ dialTimeout: 0 }, /dialTimeout/],
  [{ codec: 'yaml' }, /no codec is named "yaml"/],
  [{ mapper: 'soap' as 'rpc' }, /mapper/],
  [{ busyPoll: 0.5 }, /busyPoll/],
  [{ limits: { maxMesage: 1 } as object }, /unknown limit "maxMesage"/],
  [{ limits: { maxMessage: 0 } }, /limits.maxMessage/],
  [{ limits: { maxMessage: 2 ** 31 } }, /limits.maxMessage/],
  [{ limits: { maxUnsent: 2 ** 31 } }, /option limits.maxUnsent must be a whole number from 1 to 2147483647, got 2147483648/],
  [{ limits: { maxUnsent: 2 ** 53 } }, /limits.maxUnsent/],
  [{ limits: { frameTimeout: 2 ** 31 } }, /limits.frameTimeout/],
  [{ limits: { writeTimeout: 2 ** 31 } }, /limits.writeTimeout/],
  [{ limits: { writeTimeout: 0 } }, /limits.writeTimeout/],
  [{ socket: { receiveBuffer: 2 ** 30 } }, /socket.receiveBuffer/],
  [{ socket: { sendBuffer: 2 ** 30 } }, /socket.sendBuffer/],
  [{ socket: { keepAliveIdle: 32_767_001 } }, /socket.keepAliveIdle/],
  [{ busyPoll: 10_001 }, /busyPoll/],
  [{ limits: { maxFilters: 256 } }, /limits.maxFilters/],
  [{ limits: { maxDepth: 1.5 } }, /limits.maxDepth/],
  [{ codecs: [{ id: 106, name: 'mine', encode: () => '', decode: () => 0 }] }, /taken by "json"/],
]
for (const [options, text] of wrong) {
  test(`${JSON.stringify(options)} is refused with ${text}`, () => assert.throws(() => readOptions(options), text))
}

test('a logger that throws is silenced, one that works is heard', () => {
  const heard: string[] = []
  const log = { debug: () => {}, info: () => {}, warn: (text: string) => void heard.push(text), error: () => assert.fail('boom') }
  const settings = readOptions({ log })
  settings.log.warn('hello')
  settings.log.error('unheard')
  assert.deepEqual(heard, ['hello'])
})

test('Infinity is the longest of the limits that are durations, and refused for those that are sizes', () => {
  const { limits } = readOptions({ limits: { frameTimeout: Infinity, writeTimeout: Infinity } })
  assert.deepEqual([limits.frameTimeout, limits.writeTimeout], [2 ** 31 - 1, 2 ** 31 - 1])
  assert.throws(() => readOptions({ limits: { maxMessage: Infinity } }), /limits.maxMessage/)
  assert.doesNotThrow(() => http({ idleTimeout: Infinity }))
  assert.throws(() => http({ idleTimeout: -1 }), /option idleTimeout/)
  assert.throws(() => http(null as never), /options of http/)
})
