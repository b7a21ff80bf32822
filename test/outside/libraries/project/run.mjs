// Runs the checks that a module of this folder exports, one after another, on a transport; writes a line of JSON for each, and ends by itself.
// The real timer, whatever a check does to timers.
const { setTimeout, clearTimeout } = globalThis
const [module, transport] = process.argv.slice(2)
let failed = false
const { checks } = await import(`./${module}.mjs`)
for (const [name, check] of Object.entries(checks)) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, 10_000, new Error('not settled in 10 s'))
  })
  const detail = await Promise.race([check(transport), late]).then(
    () => '',
    (error) => String(error?.stack ?? error) || 'failed',
  )
  clearTimeout(timer)
  console.log(JSON.stringify({ name, detail }))
  failed ||= detail !== ''
}
// What failed left its endpoints open.
if (failed) process.exit(1)
