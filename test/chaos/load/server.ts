// A server with one kind of handler, in a process of its own. Arguments: transport, kind of handler, 'on' or 'off'.
import { Endpoint } from '../../../src/index.ts'
import type { Kind } from '../../support/helpers.ts'

const [transport, kind, protection] = process.argv.slice(2)

/** Milliseconds of the thread's own time a `burn` takes. */
const BURN = 0.2
/** What a `wait` needs: one of so many places, for so many milliseconds. */
const PLACES = 20
const HELD = 5

function burn(value: number): number {
  const end = performance.now() + BURN
  while (performance.now() < end);
  return value
}

let free = PLACES
const waiting: (() => void)[] = []

/** As a pool of connections to a database: who finds no place waits, and whoever asks more only makes all wait longer. */
async function wait(value: number): Promise<number> {
  if (free > 0) free--
  else await new Promise<void>((resolve) => waiting.push(resolve))
  await new Promise((resolve) => setTimeout(resolve, HELD))
  const next = waiting.shift()
  if (next === undefined) free++
  else next()
  return value
}

const server = new Endpoint({ transport: transport as Kind, overload: protection === 'on', log: false })
server.routeCall('/work', kind === 'burn' ? burn : wait)
const { url } = await server.listen('tcp://127.0.0.1:0')
process.on('message', (question) => {
  if (question === 'look') process.send?.({ ...server.stats, load: server.load, rss: process.memoryUsage().rss })
})
process.on('disconnect', () => process.exit(0))
process.send?.(url)
