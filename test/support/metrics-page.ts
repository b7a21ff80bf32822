import assert from 'node:assert/strict'
import type { PrometheusPlugin } from '../../src/observe/metrics/index.ts'

/** The series of a page and their values, in its order. */
export function seriesOf(page: string): Map<string, number> {
  const series = new Map<string, number>()
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name, value] = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})?) ([^ ]+)/.exec(line) ?? assert.fail(line)
    assert.ok(!series.has(name), `${name} is there twice`)
    series.set(name, Number(value.replace('+Inf', 'Infinity')))
  }
  return series
}

/** The values of a family's series now, by their labels without `le`, `name` and quotes: `path=/add,code=0`. */
export async function valuesOf(metrics: PrometheusPlugin, family: string): Promise<Record<string, number>> {
  const { body } = await metrics.page()
  const found: Record<string, number> = {}
  for (const [series, value] of seriesOf(body.toString())) {
    const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) as RegExpExecArray
    if (name === family) found[labels.replaceAll('"', '').replace(/^name=[^,]*,?/, '')] = value
  }
  return found
}

/** Checks what Prometheus takes in silence: that buckets rise, end with `+Inf`, and agree with the count. */
export function checkHistograms(page: string): void {
  const series = seriesOf(page)
  let last = ''
  for (const [name, value] of series) {
    if (!name.includes('_bucket{')) continue
    const own = name.replace(/,?le="[^"]*"/, '')
    const le = /le="([^"]*)"/.exec(name)?.[1] as string
    if (own === last.split(' ')[0]) {
      const [, before, count] = last.split(' ')
      assert.ok(Number(before) < Number(le.replace('+Inf', 'Infinity')), name)
      assert.ok(Number(count) <= value, name)
    }
    last = `${own} ${le.replace('+Inf', 'Infinity')} ${value}`
    if (le === '+Inf') assert.equal(value, series.get(own.replace('_bucket', '_count').replace('{}', '')), name)
  }
}
