#!/usr/bin/env bash
# Guessed: what @iarna/toml writes it reads again, as TOML 1.0 has floats with an exponent (`flt = 1e-7`, its section Float) just as JavaScript writes them.
# What happens (@iarna/toml 3.0.0, 2026-11-29): a number below 0.000001 whose shortest form has one digit, such as a tolerance or a delay of 1e-7, is written as
# `1e-7.undefined`, which neither it nor smol-toml 1.9.1 reads. With a digit behind the point it is right by chance (`1.5e-7`); large numbers are right always.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E @iarna/toml@3.0.0 smol-toml@1.9.1
cat >floats.mjs <<'JS'
import iarna from '@iarna/toml'
import * as smol from 'smol-toml'

const read = (parse, text) => {
  try {
    return parse(text).wait
  } catch {
    return 'refused'
  }
}
for (const wait of [0.001, 1e-6, 1e-7, 1.5e-7, 5e-324, 1e21]) {
  const [written, other] = [iarna.stringify({ wait }).trim(), smol.stringify({ wait }).trim()]
  console.log(`${wait}: @iarna/toml '${written}', read by itself ${read(iarna.parse, written)}, by smol-toml ${read(smol.parse, written)}; smol-toml '${other}', ${read(iarna.parse, other)}`)
}
JS
echo "node $(node --version), @iarna/toml 3.0.0, smol-toml 1.9.1"
node floats.mjs | tee got
cat >expected <<'TEXT'
0.001: @iarna/toml 'wait = 0.001', read by itself 0.001, by smol-toml 0.001; smol-toml 'wait = 0.001', 0.001
0.000001: @iarna/toml 'wait = 0.000001', read by itself 0.000001, by smol-toml 0.000001; smol-toml 'wait = 0.000001', 0.000001
1e-7: @iarna/toml 'wait = 1e-7.undefined', read by itself refused, by smol-toml refused; smol-toml 'wait = 1e-7', 1e-7
1.5e-7: @iarna/toml 'wait = 1.5e-7', read by itself 1.5e-7, by smol-toml 1.5e-7; smol-toml 'wait = 1.5e-7', 1.5e-7
5e-324: @iarna/toml 'wait = 5e-324.undefined', read by itself refused, by smol-toml refused; smol-toml 'wait = 5e-324', 5e-324
1e+21: @iarna/toml 'wait = 1e+21', read by itself 1e+21, by smol-toml 1e+21; smol-toml 'wait = 1e+21', 1e+21
TEXT
diff expected got
