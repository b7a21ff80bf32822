import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { random } from './random.ts'

/** A relay of datagrams that loses 30 % of them, repeats 5 %, and delays 20 %, so that others overtake them. */
export async function lossyRelay(t: TestContext, url: string, seed = 1): Promise<string> {
  const rnd = random(seed)
  const clients = new Map<number, Socket>()
  const inner = createSocket('udp4')
  inner.bind(0, '127.0.0.1')
  await once(inner, 'listening')
  const port = Number(new URL(url).port)
  let open = true
  const pass = (send: () => void): void => {
    if (rnd(10) < 3) return
    const guarded = (): void => void (open && send())
    for (let copies = rnd(20) === 0 ? 2 : 1; copies > 0; copies--) {
      if (rnd(5) === 0) setTimeout(guarded, 1 + rnd(15))
      else guarded()
    }
  }
  inner.on('message', (datagram, from) => {
    let outer = clients.get(from.port)
    if (outer === undefined) {
      outer = createSocket('udp4')
      clients.set(from.port, outer)
      outer.on('error', () => {})
      outer.on('message', (answer) => pass(() => inner.send(answer, from.port, '127.0.0.1')))
    }
    const to = outer
    pass(() => to.send(datagram, port, '127.0.0.1'))
  })
  t.after(() => {
    open = false
    inner.close()
    for (const outer of clients.values()) outer.close()
  })
  return url.replace(/\d+$/, String(inner.address().port))
}
