#!/usr/bin/env bash
# Guessed: a benchmark that ran 100 calls in 500 ms shows a mean throughput of 200 calls a second, and 1000 divided by the mean latency is the same number.
# What happens (tinybench 6.2.5, 2026-11-29): it shows 555.6. It takes the rate of every single call, 1000 / its time, and then the mean of the rates, so that
# quick calls count for more than slow ones: with calls of 1 ms and 9 ms in turn the mean of 1,000 and 111.1. The more the times spread, as calls over sockets
# do, the further it is above what was done. Samples divided by total time is the true rate. The clock here is made up, so nothing depends on the machine.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E tinybench@6.2.5
cat >rate.mjs <<'JS'
import { Bench } from 'tinybench'

async function measure(name, times) {
  let clock = 0
  let calls = 0
  const bench = new Bench({ now: () => clock, iterations: 100, time: 0, warmup: false })
  bench.add(name, () => {
    clock += times[calls++ % times.length]
  })
  await bench.run()
  const { latency, throughput, totalTime } = bench.tasks[0].result
  const rate = (latency.samplesCount / totalTime) * 1000
  console.log(`${name}: ${latency.samplesCount} in ${totalTime} ms, so ${rate.toFixed(1)} a second; mean latency ${latency.mean} ms; mean throughput ${throughput.mean.toFixed(1)}`)
}
await measure('all of 5 ms', [5])
await measure('1 and 9 ms', [1, 9])
JS
echo "node $(node --version), tinybench 6.2.5"
node rate.mjs | tee got
cat >expected <<'TEXT'
all of 5 ms: 100 in 500 ms, so 200.0 a second; mean latency 5 ms; mean throughput 200.0
1 and 9 ms: 100 in 500 ms, so 200.0 a second; mean latency 5 ms; mean throughput 555.6
TEXT
diff expected got
