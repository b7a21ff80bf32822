// A reporter of node:test that tells only what failed, each in some lines, for scripts/node-test.mjs.
import { relative } from 'node:path'
import { inspect } from 'node:util'

const MAX_LINES = 40

export default async function* failures(events) {
  for await (const { type, data } of events) {
    const error = data.details?.error
    // A test that failed by its subtests is told by them.
    if (type !== 'test:fail' || data.skip !== undefined || data.todo !== undefined || error?.failureType === 'subtestsFailed') continue
    const text = inspect(error?.cause ?? error)
      .split('\n')
      .slice(0, MAX_LINES)
    yield [`${relative('', data.file ?? '')}:${data.line ?? 0}: ${data.name}`, ...text].join('\n    ').concat('\n')
  }
}
