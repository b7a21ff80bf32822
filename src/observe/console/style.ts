/** The style of the pages. */
export const style = `
:root { color-scheme: light dark; --bg: #f6f7f9; --card: #fff; --text: #1b2430; --dim: #5d6b7c; --edge: #dde2e9; --a: #1763c7; --b: #a34a00; --bad: #b8152c; --ok: #1a7040; --hover: #eef2f7 }
@media (prefers-color-scheme: dark) {
  :root { --bg: #12161c; --card: #1a2029; --text: #e3e8ef; --dim: #98a5b5; --edge: #2d3642; --a: #6cb0ff; --b: #f2a65a; --bad: #ff7d8a; --ok: #63d296; --hover: #232b36 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--bg); color: var(--text); font: 14px/1.5 system-ui, sans-serif }
a { color: var(--a); text-decoration: none }
a:hover { text-decoration: underline }
code, pre, .trace, textarea { font-family: ui-monospace, monospace; font-size: 12.5px }
code { overflow-wrap: anywhere }
header { display: flex; align-items: center; gap: 4px 20px; padding: 0 24px; background: var(--card); border-bottom: 1px solid var(--edge); position: sticky; top: 0; z-index: 1 }
.brand { font-weight: 700; color: var(--text); padding: 10px 0 }
nav { display: flex; gap: 2px; overflow-x: auto; flex: 1; scrollbar-width: none }
nav a { padding: 10px 12px; color: var(--dim); border-bottom: 2px solid transparent; white-space: nowrap }
nav a:hover { color: var(--text); text-decoration: none }
nav a[aria-current] { color: var(--text); border-color: var(--a); font-weight: 600 }
#status { color: var(--dim); font-size: 12px; white-space: nowrap }
#status.ok { color: var(--ok) } #status.bad { color: var(--bad) }
#status:not(:empty)::before { content: ''; display: inline-block; width: 8px; height: 8px; border-radius: 50%; background: currentColor; margin-right: 6px }
main { max-width: 1280px; margin: 0 auto; padding: 16px 24px }
footer { max-width: 1280px; margin: 0 auto; padding: 0 24px 24px; color: var(--dim); font-size: 12px }
h2 { font-size: 16px; margin: 20px 0 8px; overflow-wrap: anywhere }
h2 code { font-size: 16px }
h3 { font-size: 13px; margin: 16px 0 6px; color: var(--dim) }
.note, .dim, .empty, .field { color: var(--dim) }
.empty { background: var(--card); border: 1px dashed var(--edge); border-radius: 8px; padding: 12px 16px; margin: 0 }
.ok { color: var(--ok) }
.bad { color: var(--bad) }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 10px }
.tile, .chart, .scroll, .try, .counters, .log, pre { background: var(--card); border: 1px solid var(--edge); border-radius: 8px }
.tile { padding: 10px 14px }
.tile span { display: block; color: var(--dim); font-size: 12px }
.tile b { font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 12px }
.chart { margin: 0; padding: 12px 14px 8px }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: baseline }
.title { font-weight: 600; margin-right: auto }
.key { font-size: 12px; color: var(--dim); font-variant-numeric: tabular-nums }
.key b { color: var(--text) }
.key::before { content: ''; display: inline-block; width: 12px; height: 3px; border-radius: 2px; background: currentColor; margin: 0 5px 3px 0 }
.key.a::before { background: var(--a) } .key.b::before { background: var(--b) } .key.bad::before { background: var(--bad) }
.plot { position: relative; margin-top: 18px }
.plot svg { display: block; width: 100%; height: 120px }
.top { position: absolute; top: -17px; left: 0; font-size: 11px; color: var(--dim) }
.axis { display: flex; justify-content: space-between; font-size: 11px; color: var(--dim) }
.grid { stroke: var(--edge); fill: none; vector-effect: non-scaling-stroke }
.line { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke }
.line.a { stroke: var(--a) } .line.b { stroke: var(--b) } .line.bad { stroke: var(--bad) }
.scroll { overflow-x: auto; margin-bottom: 8px }
table { border-collapse: collapse; width: 100% }
th, td { padding: 6px 12px; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--edge) }
tr:last-child td, tr:last-child th { border-bottom: 0 }
thead th { color: var(--dim); font-size: 12px; font-weight: 600 }
tbody tr:hover { background: var(--hover) }
td:has(form) { position: sticky; right: 0; background: var(--card); width: 1% }
label b { color: var(--text); font-size: 13px }
td { max-width: 420px; overflow: hidden; text-overflow: ellipsis }
.n { text-align: right; font-variant-numeric: tabular-nums }
.bars td, .bars th { border: 0; padding: 2px 12px; font-weight: 400; width: 1% }
.bars .bar { width: 98%; min-width: 120px; max-width: none }
.bars svg { display: block; width: 100%; height: 12px; fill: var(--a) }
.counters { display: flex; flex-wrap: wrap; gap: 6px 24px; margin: 0 0 8px; padding: 10px 14px }
.counters dt { color: var(--dim); font-size: 12px }
.counters dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 0 16px }
form { margin: 0 }
label { display: block; color: var(--dim); font-size: 12px }
input, select, textarea, button { font: inherit; color: inherit; background: var(--bg); border: 1px solid var(--edge); border-radius: 6px; padding: 6px 10px }
.try { display: grid; gap: 12px; padding: 14px; max-width: 640px }
.try input, .try select, .try textarea, .login input { display: block; width: 100%; margin-top: 4px; color: var(--text) }
textarea { resize: vertical }
button { cursor: pointer; background: var(--a); border-color: var(--a); color: var(--card); font-weight: 600; justify-self: start }
button.small { padding: 1px 8px; background: none; color: var(--bad); border-color: var(--edge); font-weight: 400 }
button.small:hover { border-color: var(--bad) }
:focus-visible { outline: 2px solid var(--a); outline-offset: 1px }
.filter { margin-bottom: 8px }
.filter label { display: inline }
pre { padding: 12px 14px; overflow-x: auto; max-height: 480px; margin: 0 0 8px; white-space: pre-wrap; overflow-wrap: anywhere }
.log { list-style: none; margin: 0; padding: 6px 0; font: 12.5px/1.6 ui-monospace, monospace }
.log li { padding: 1px 14px; overflow-wrap: anywhere }
.log time { color: var(--dim) }
.log .warn b { color: var(--b) } .log .error b { color: var(--bad) } .log .info b { color: var(--ok) } .log .debug b { color: var(--dim) }
.field span { color: var(--text) }
.login main { max-width: 360px; margin: 12vh auto; display: grid; gap: 12px }
.login form { display: grid; gap: 12px }
@media (max-width: 640px) {
  header { flex-wrap: wrap; padding: 0 14px }
  nav { order: 3; flex: 1 0 100%; margin: 0 -14px; padding: 0 6px }
  nav a { padding: 6px 9px }
  .brand { flex: 1; padding: 8px 0 0 }
  main, footer { padding-left: 14px; padding-right: 14px }
  .tiles { grid-template-columns: repeat(2, 1fr) }
  .filter input { width: 100%; margin: 4px 0 }
}
`
