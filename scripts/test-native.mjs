// Builds native/wire's tests and fuzz targets under ASan and UBSan and runs them. Skipped, in one line, where cmake or
// doctest is missing; in CI that is a failure.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const has = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
const headers = ['/usr/include', '/usr/local/include', '/opt/homebrew/include']
const missing = !has('cmake') ? 'cmake' : headers.some((folder) => existsSync(`${folder}/doctest/doctest.h`)) ? '' : 'doctest'
if (missing !== '') {
  console.log(`native tests skipped: ${missing} is not installed (Debian: cmake, doctest-dev)`)
  process.exit(process.env.CI ? 1 : 0)
}
const clang = has('clang++') ? ['-DCMAKE_CXX_COMPILER=clang++'] : [] // it brings libFuzzer
const steps = [
  ['cmake', '-S', '.', '-B', 'build/test-native', '-DDMICRO_TESTS=ON', '-DDMICRO_SANITIZE=ON', ...clang],
  ['cmake', '--build', 'build/test-native', '-j', '2'],
  ['ctest', '--test-dir', 'build/test-native', '--output-on-failure'],
]
for (const [command, ...args] of steps) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
