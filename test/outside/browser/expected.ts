import assert from 'node:assert/strict'

/** Asserts what `check` of project/checks.js has seen. */
export function assertSeen({ refused, ...seen }: Record<string, unknown>): void {
  assert.deepEqual(seen, {
    echo: { text: 'ü€😀<\u2028', list: [1, null, true] },
    plain: 'plain',
    large: 1_000_000,
    meta: 'ü',
    back: 42,
    backFails: '1234 because',
    pushed: 'a push',
    late: '408 no reply from /never within the deadline',
    aborted: seen.aborted,
    missing: '404',
    isStatus: true,
  })
  assert.match(String(refused), /^105 the browser could not connect to ws:\/\/127\.0\.0\.1:1/)
  assert.match(String(seen.aborted), /^499/)
}
