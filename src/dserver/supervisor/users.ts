import { readFileSync } from 'node:fs'

/** User and group that a child runs as. */
export interface Identity {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups, those of /etc/group that name the user. */
  readonly groups: readonly number[]
  /** Variables that go with the user. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * The identity for `user` or `user:group`, names or numbers. The group of a user is by default its own of /etc/passwd.
 * @throws Error for an unknown user or group
 */
export function identityOf(text: string, passwd: string = read('/etc/passwd'), group: string = read('/etc/group')): Identity {
  const [user, groupName, ...rest] = text.split(':')
  if (user === '' || groupName === '' || rest.length > 0) throw new Error(`${JSON.stringify(text)} is neither user nor user:group`)
  const isNumber = /^\d{1,10}$/.test(user)
  const entry = entries(passwd).find((fields) => (isNumber ? fields[2] === user : fields[0] === user))
  if (entry === undefined && !isNumber) throw new Error(`there is no user ${JSON.stringify(user)}`)
  if (entry === undefined && groupName === undefined) throw new Error(`user ${user} has no entry, so its group must be given`)
  const gid = groupName === undefined ? Number(entry?.[3]) : gidOf(groupName, group)
  const environment = entry === undefined ? {} : { USER: entry[0], LOGNAME: entry[0], HOME: entry[5] ?? '/' }
  return { uid: Number(entry?.[2] ?? user), gid, groups: groupsOf(entry?.[0], gid, group), environment }
}

function groupsOf(user: string | undefined, own: number, group: string): number[] {
  if (user === undefined) return []
  const all = entries(group).filter(([, , , members = '']) => members.split(',').includes(user))
  return [...new Set(all.map((fields) => Number(fields[2])))].filter((gid) => gid !== own)
}

function gidOf(name: string, group: string): number {
  if (/^\d{1,10}$/.test(name)) return Number(name)
  const entry = entries(group).find((fields) => fields[0] === name)
  if (entry === undefined) throw new Error(`there is no group ${JSON.stringify(name)}`)
  return Number(entry[2])
}

function entries(text: string): string[][] {
  return text.split('\n').flatMap((line) => (/^[^#:]+:/.test(line) ? [line.split(':')] : []))
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
