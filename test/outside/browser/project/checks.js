// What a page, a worker, and bundles of both do; the server is that of served.ts.
import { Code, Endpoint, heartbeatPing, heartbeatPong, StatusError } from 'dmicro/browser'

export async function check(url, protocol) {
  const client = new Endpoint({ protocol, redial: true, plugins: [heartbeatPing(), heartbeatPong()] })
  client.routeCall('/page/twice', (number) => number * 2)
  client.routeCall('/page/fail', () => {
    throw new StatusError(1234, 'no', 'because')
  })
  const pushed = new Promise((resolve) => client.routePush('/page/tell', (text) => resolve(text)))
  const session = await client.dial(url)
  const failure = (promise) =>
    promise.then(
      () => 'done',
      ({ code, cause }) => `${code} ${cause ?? ''}`.trim(),
    )
  const abort = new AbortController()
  const aborted = failure(session.call('/never', null, { signal: abort.signal }))
  abort.abort()
  await session.push('/tell', 'a push')
  const seen = {
    echo: await session.call('/echo', { text: 'ü€😀<\u2028', list: [1, null, true] }),
    plain: await session.call('/echo', 'plain', { codec: 'plain', acceptCodec: 'plain' }),
    large: (await session.call('/echo', 'x'.repeat(1_000_000))).length,
    meta: (await session.callReply('/meta', null, { meta: { a: 'ü' } })).meta.a,
    back: await session.call('/back', 21),
    backFails: await failure(session.call('/back-fails')),
    pushed: await pushed,
    late: await failure(session.call('/never', null, { timeout: 20 })),
    aborted: await aborted,
    missing: await failure(session.call('/missing')),
    refused: await failure(client.dial('ws://127.0.0.1:1/', { redial: false })),
    isStatus: await session.call('/missing').catch((error) => error instanceof StatusError && error.code === Code.NotFound),
  }
  await client.close()
  return seen
}
