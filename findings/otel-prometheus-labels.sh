#!/usr/bin/env bash
# Guessed: the page of OpenTelemetry's exporter for Prometheus is one that parsers take, whatever valid attributes were recorded.
# What happens (@opentelemetry/exporter-prometheus 0.223.0, 2026-11-29): two attributes whose names differ in dots and underscores alone, such as rpc.method and
# an older rpc_method, become one label twice, which prometheus_client 0.26.0 of Python refuses, and the rest of the page with it. OpenTelemetry's specification
# ("Prometheus and OpenMetrics Compatibility", Metric Attributes) says that the values MUST be joined with `;`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E @opentelemetry/exporter-prometheus@0.223.0 @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/api@1.9.1
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check prometheus_client==0.26.0
cat >write.mjs <<'JS'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'

async function page(attributes) {
  const exporter = new PrometheusExporter({ preventServerStart: true })
  const meter = new MeterProvider({ readers: [exporter] }).getMeter('shop')
  meter.createCounter('calls').add(3, attributes)
  const { resourceMetrics } = await exporter.collect()
  return new PrometheusSerializer().serialize(resourceMetrics)
}
const pages = [await page({ 'rpc.method': 'get' }), await page({ 'rpc.method': 'get', rpc_method: 'put' })]
console.log(JSON.stringify(pages))
JS
cat >read.py <<'PY'
import json
import sys
from prometheus_client.parser import text_string_to_metric_families

for page in json.load(sys.stdin):
    print([line for line in page.split("\n") if line.startswith("calls_total")][0])
    try:
        print("Python:", sum(len(family.samples) for family in text_string_to_metric_families(page)), "samples")
    except ValueError as error:
        print("Python:", type(error).__name__, str(error).split(":")[0])
PY
node write.mjs | venv/bin/python read.py | tee got
cat >expected <<'TEXT'
calls_total{rpc_method="get",otel_scope_name="shop"} 3
Python: 2 samples
calls_total{rpc_method="get",rpc_method="put",otel_scope_name="shop"} 3
Python: ValueError Invalid labels
TEXT
diff expected got
