// A commit of dmicro, built in a git worktree of its own.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attempt } from './attempt.ts'
import { path } from './processes.ts'

export interface Tree {
  name: string
  /** Its compiled TypeScript; the addon is found from there. */
  dist: string
}

const root = path('..')
const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' })

export const workingTree: Tree = { name: 'working tree', dist: path('../dist') }

/** The tree lives as long as this process. @throws when `ref` names no commit or does not build */
export async function checkOut(ref: string): Promise<Tree> {
  const { status, stdout } = git('rev-parse', '--short', '--verify', '--quiet', `${ref}^{commit}`)
  if (status !== 0) throw new Error(`git knows no commit ${JSON.stringify(ref)}`)
  const commit = stdout.trim()
  const folder = mkdtempSync(join(tmpdir(), 'dmicro-compare-'))
  process.once('exit', () => {
    git('worktree', 'remove', '--force', folder)
    rmSync(folder, { recursive: true, force: true })
  })
  if (git('worktree', 'add', '--detach', folder, commit).status !== 0) throw new Error('git worktree add failed')
  const failed = await build(folder, commit)
  if (failed !== undefined) throw new Error(`${commit} does not build: ${failed}`)
  return { name: commit, dist: join(folder, 'dist') }
}

async function build(cwd: string, commit: string): Promise<string | undefined> {
  // Its packages are ours when the lock file is.
  if (git('diff', '--quiet', commit, '--', 'package-lock.json').status === 0)
    symlinkSync(join(root, 'node_modules'), join(cwd, 'node_modules'))
  else {
    const failed = await attempt(['npm', 'ci', '--no-audit', '--no-fund'], { cwd })
    if (failed !== undefined) return failed
  }
  const node = process.execPath
  return (
    (await attempt([node, 'node_modules/cmake-js/bin/cmake-js', 'compile'], { cwd })) ??
    (await attempt([node, ...javaScriptBuild(cwd)], { cwd }))
  )
}

/** Earlier commits have no script for it. */
function javaScriptBuild(cwd: string): string[] {
  const script = join(cwd, 'scripts/build.mjs')
  return existsSync(script) ? [script] : [join(cwd, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json']
}
