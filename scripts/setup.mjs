// Makes a checkout ready: npm packages, the native addon, the compiled TypeScript. Does only what is missing or old.
// `--check` does nothing; it fails when packages or compiled TypeScript are missing or old, and says what to run.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** Runs a command; its output is shown only when it fails. */
function quietly(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return true
  process.stdout.write(stdout ?? '')
  process.stderr.write(stderr || `${error?.message}\n`)
  return false
}

function has(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

const isOlder = (file, than) => !existsSync(file) || statSync(file).mtimeMs < statSync(than).mtimeMs
const packagesAreOld = () => isOlder('node_modules/.package-lock.json', 'package-lock.json')
/** The build writes every file each time. */
const distIsOld = () =>
  readdirSync('src', { recursive: true }).some((name) => name.endsWith('.ts') && isOlder('dist/index.js', join('src', name)))

function install() {
  if (!packagesAreOld()) return true
  console.log('installing npm packages')
  return quietly(npm, ['ci', '--no-audit', '--no-fund'])
}

function buildNative() {
  const compiler = process.env.CXX ?? ['c++', 'g++', 'clang++'].find(has)
  const missing = compiler === undefined ? 'C++ compiler' : has('cmake') ? undefined : 'cmake'
  if (missing !== undefined) {
    console.log(`no ${missing} found: the native transport is not built, dmicro runs on its JavaScript transport`)
    return true
  }
  console.log('building the native addon')
  return quietly(process.execPath, ['node_modules/cmake-js/bin/cmake-js', 'compile'])
}

function buildTypeScript() {
  console.log('compiling TypeScript')
  return quietly(process.execPath, ['scripts/build.mjs'])
}

function check() {
  const problem = packagesAreOld()
    ? 'the npm packages are missing or old: `npm run setup` installs and builds, `npm run verify` runs the tests after it'
    : distIsOld()
      ? 'dist/ is missing or older than src/: `npm run setup`'
      : undefined
  if (problem !== undefined) console.error(problem)
  return problem === undefined
}

if (process.argv.includes('--check')) process.exit(check() ? 0 : 1)
if (!install() || !buildNative() || !buildTypeScript()) process.exit(1)
