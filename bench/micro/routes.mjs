// Route look-up: from a method's bytes to its handler, every route in turn and in no order. The native core does the first
// half in C++ and cannot be asked alone; the trials routes@N show it.
import assert from 'node:assert/strict'
import { measure, report } from './measure.mjs'
import { load } from './modules.mjs'

const { Router } = await load('endpoint/router')
const { PluginContainer } = await load('hooks/plugin')
const { httpName } = await load('message/naming')
const { findName } = await load('message/names')

const plugins = new PluginContainer()
const router = new Router(httpName, plugins, () => {})
const names = []
const handler = () => {}

// Names are never forgotten, so the sizes must grow.
for (const count of [1, 100, 10_000]) {
  while (names.length < count) {
    names.push(`/service${names.length % 100}/method${names.length}`)
    router.add(router.calls, names.at(-1), handler, undefined, plugins)
  }
  const runs = places(shuffled(names))
  const { buffer, ends } = runs
  const find = (i) => router.calls.get(findName(buffer, i === 0 ? 0 : ends[i - 1], ends[i]))
  for (let i = 0; i < count; i++) assert.equal(find(i).name, runs.names[i])
  assert.equal(findName(Buffer.from('/service/none'), 0, 13), -1)

  const batch = Math.max(count, 1_000)
  await measure('route look-up', `${count.toLocaleString('en')} route${count === 1 ? '' : 's'}`, batch, {
    js: () => {
      let sum = 0
      for (let done = 0; done < batch; done += count) for (let i = 0; i < count; i++) sum += find(i).name.length
      return sum
    },
  })
}
report()

/** The names one behind the other in one buffer, and where each ends. */
function places(names) {
  const ends = []
  let end = 0
  for (const name of names) ends.push((end += Buffer.byteLength(name)))
  return { names, buffer: Buffer.from(names.join('')), ends }
}

/** The same order in every run. */
function shuffled(list) {
  const copy = [...list]
  let state = 1
  for (let i = copy.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const j = (state >>> 8) % (i + 1)
    const kept = copy[i]
    copy[i] = copy[j]
    copy[j] = kept
  }
  return copy
}
