import { closed, pair } from './pair.mjs'

/** The tests of two copies of the package in one process, for a runner with these functions. */
export function twoCopies({ test, expect, resetModules }) {
  test('endpoints of two copies of the package live side by side, and each hears its own connections', async () => {
    const { Endpoint: One } = await import('dmicro')
    resetModules()
    const { Endpoint: Two } = await import('dmicro')
    expect(Two).not.toBe(One)
    const [one, two] = [await pair('one', One), await pair('two', Two)]
    const across = [await one.client.dial(two.url), await two.client.dial(one.url)]
    const answers = await Promise.all([one.session, two.session, ...across].map((session) => session.call('/who')))
    expect(answers).toEqual(['one', 'two', 'two', 'one'])
    await closed(one)
    expect(await two.session.call('/who')).toBe('two')
    await closed(two)
  })

  test("an error of another copy's server is a StatusError here", async () => {
    const { StatusError: One } = await import('dmicro')
    resetModules()
    const { Endpoint, StatusError } = await import('dmicro')
    expect(StatusError).not.toBe(One)
    const ends = await pair('two', Endpoint)
    ends.server.routeCall('/refuse', () => {
      throw new One(4711, 'not today', 'of another copy')
    })
    await expect(ends.session.call('/refuse')).rejects.toMatchObject({ code: 4711, message: 'not today', cause: 'of another copy' })
    await closed(ends)
  })

  test('a copy keeps to itself in what it loads after modules were reset', async () => {
    const { Endpoint: One } = await import('dmicro')
    resetModules()
    const { Endpoint: Two } = await import('dmicro')
    for (const protocol of ['json', 'protobuf', 'http', 'jsonrpc']) {
      const [one, two] = [await pair('one', One, protocol), await pair('two', Two, protocol)]
      const across = [await one.client.dial(two.url), await two.client.dial(one.url)]
      const answers = await Promise.all([one.session, two.session, ...across].map((session) => session.call('/who')))
      expect(answers).toEqual(['one', 'two', 'two', 'one'])
      await closed(one)
      await closed(two)
    }
  })
}
