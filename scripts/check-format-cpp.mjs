// Fails when clang-format would change a C++ file; skipped, in one line, where it is missing (in CI a failure).
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const fix = process.argv.includes('--fix')
if (spawnSync('clang-format', ['--version'], { stdio: 'ignore' }).status !== 0) {
  console.log('C++ format not checked: clang-format is not installed')
  process.exit(process.env.CI ? 1 : 0)
}
const files = ['native', 'test/native', 'bench'].flatMap((folder) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => /\.(h|cc)$/.test(file) && !file.includes('node_modules'))
    .map((file) => `${folder}/${file}`),
)
const { status } = spawnSync('clang-format', [...(fix ? ['-i'] : ['--dry-run', '--Werror']), ...files], { stdio: 'inherit' })
process.exit(status ?? 1)
