// Builds the native tests and runs them: native/wire with its fuzz targets and native/io under ASan and UBSan, then
// native/io under TSan. The two builds use different compilers where both are there, since both must take native/
// without a warning. Skipped, in one line, where cmake, doctest or libuv is missing; in CI that is a failure.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const has = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
const hasHeader = (header) =>
  ['/usr/include', '/usr/local/include', '/opt/homebrew/include'].some((folder) => existsSync(`${folder}/${header}`))
const missing = !has('cmake') ? 'cmake' : !hasHeader('doctest/doctest.h') ? 'doctest' : !hasHeader('uv.h') ? 'libuv' : ''
if (missing !== '') {
  console.log(`native tests skipped: ${missing} is not installed (Debian: cmake, doctest-dev, libuv1-dev)`)
  process.exit(process.env.CI ? 1 : 0)
}
const compiler = (name) => (has(name) ? [`-DCMAKE_CXX_COMPILER=${name}`] : [])
const builds = [
  { folder: 'build/test-native', sanitize: 'ON', compiler: compiler('clang++') }, // it brings libFuzzer
  { folder: 'build/test-threads', sanitize: 'thread', compiler: compiler('g++') },
]
for (const { folder, sanitize, compiler } of builds) {
  const steps = [
    ['cmake', '-S', '.', '-B', folder, '-DDMICRO_TESTS=ON', `-DDMICRO_SANITIZE=${sanitize}`, ...compiler],
    ['cmake', '--build', folder, '-j', '2'],
    ['ctest', '--test-dir', folder, '--output-on-failure'],
  ]
  for (const [command, ...args] of steps) {
    const { status } = spawnSync(command, args, { stdio: 'inherit' })
    if (status !== 0) process.exit(status ?? 1)
  }
}
