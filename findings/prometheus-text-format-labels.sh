#!/usr/bin/env bash
# Guessed: a JavaScript parser of Prometheus' text format keeps the labels of histograms and summaries, since it keeps those of counters and gauges.
# What happens (parse-prometheus-text-format 1.1.1, 2026-11-29): all series of a histogram or a summary become one, without labels, sum or count, and with the
# buckets of the last; of 2 calls of one method and 30 of another it gives the 30. prometheus_client 0.26.0 of Python gives every series.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E parse-prometheus-text-format@1.1.1
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check prometheus_client==0.26.0
cat >page <<'TEXT'
# TYPE calls counter
calls{method="get"} 2
calls{method="put"} 30
# TYPE seconds histogram
seconds_bucket{method="get",le="1"} 1
seconds_bucket{method="get",le="+Inf"} 2
seconds_sum{method="get"} 5
seconds_count{method="get"} 2
seconds_bucket{method="put",le="1"} 29
seconds_bucket{method="put",le="+Inf"} 30
seconds_sum{method="put"} 7
seconds_count{method="put"} 30
# TYPE bytes summary
bytes{method="get",quantile="0.5"} 10
bytes_sum{method="get"} 20
bytes_count{method="get"} 2
bytes{method="put",quantile="0.5"} 100
bytes_sum{method="put"} 3000
bytes_count{method="put"} 30
TEXT
cat >read.mjs <<'JS'
import { readFileSync } from 'node:fs'
import parse from 'parse-prometheus-text-format'
for (const { name, metrics } of parse(readFileSync('page', 'utf8'))) console.log(name, JSON.stringify(metrics))
JS
cat >read.py <<'PY'
from prometheus_client.parser import text_string_to_metric_families

for family in text_string_to_metric_families(open("page").read()):
    print(family.name, "Python:", sorted({sample.labels["method"] for sample in family.samples}))
PY
{
  node read.mjs
  venv/bin/python read.py
} | tee got
cat >expected <<'TEXT'
calls [{"value":"2","labels":{"method":"get"}},{"value":"30","labels":{"method":"put"}}]
seconds [{"buckets":{"1":"29","+Inf":"30"}}]
bytes [{"quantiles":{"0.5":"100"}}]
calls Python: ['get', 'put']
seconds Python: ['get', 'put']
bytes Python: ['get', 'put']
TEXT
diff expected got
