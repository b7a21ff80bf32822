// Makes the tarball of a release and proves it, all but the publishing: `npm run release`. The tree must be clean and
// CHANGELOG.md must have a heading with a date for the version of package.json; `--dry` does without both.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MACHINES, run } from './prebuilds.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const unknown = process.argv.slice(2).find((word) => word !== '--dry')
if (unknown !== undefined) throw new Error(`no option ${unknown}: --dry`)
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
/** Suites of test/outside that install, bundle or begin with the package. They get the binaries that were built. */
const SUITES = ['packages', 'nodes', 'runtimes', 'bundlers', 'typescript', 'quickstart']

if (!process.argv.includes('--dry')) {
  if (run('git', ['status', '--porcelain']) !== '') throw new Error('the tree is not clean: commit or stash first')
  const heading = readFileSync('CHANGELOG.md', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`## ${version}`))
  if (heading === undefined) throw new Error(`CHANGELOG.md has no heading for ${version}`)
  if (heading.includes('unreleased')) throw new Error(`CHANGELOG.md says ${JSON.stringify(heading)}: give it a date`)
}
step('npm', ['run', 'setup'])
step('npm', ['run', 'lint'])
step(process.execPath, ['scripts/prebuilds.mjs'])
step(process.execPath, ['scripts/check-prebuilds.mjs'])
step('npm', ['run', 'test:outside', '--', ...SUITES])
const [{ filename, files, size }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts']))
const shipped = files.map(({ path }) => path)
const lacking = Object.keys(MACHINES).filter((machine) => !shipped.includes(`prebuilds/dmicro-${machine}/dmicro.node`))
if (lacking.length > 0) throw new Error(`${filename} lacks the binaries of ${lacking.join(', ')}`)
// All that npm itself objects to in a publication.
step('npm', ['publish', filename, '--dry-run', '--ignore-scripts'])
console.log(`${filename}: ${files.length} files, ${size} bytes. To publish it: npm publish ${filename}`)

function step(command, args) {
  console.log(`# ${[command, ...args].join(' ')}`)
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status ?? error?.message}`)
}
