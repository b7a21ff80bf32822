import { spawnSync } from 'node:child_process'
import { findProgram } from './executable.ts'
import type { Identity } from './users.ts'

/** Milliseconds that a trial may take. */
const TRIAL_MS = 5000

/** How a command is run with the supplementary groups of an identity: `program`, `args`, and then the command. */
type GroupSetter = { readonly program: string; readonly args: readonly string[] } | { readonly reason: string }

const tried = new Map<string, GroupSetter>()

/**
 * The setpriv(1) of util-linux for an identity, or why there is none. It is tried once: another program of that name,
 * such as BusyBox's, does not know the options, and a user namespace may not allow it to set groups.
 */
export function groupSetter(identity: Identity, program = findProgram('setpriv')): GroupSetter {
  if (program === undefined) return { reason: 'setpriv is not installed' }
  const groups = [identity.gid, ...identity.groups].join(',')
  const args = ['--reuid', `${identity.uid}`, '--regid', `${identity.gid}`, '--groups', groups, '--']
  const key = JSON.stringify([program, args])
  const known = tried.get(key) ?? attempt(program, args)
  tried.set(key, known)
  return known
}

function attempt(program: string, args: readonly string[]): GroupSetter {
  const { status, error, stderr } = spawnSync(program, [...args, 'true'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: TRIAL_MS,
  })
  if (status === 0) return { program, args }
  const said = error?.message ?? stderr.trim().split('\n', 1)[0]
  return { reason: `${program} cannot set them${said === '' ? '' : `: ${said}`}` }
}
