import type { SandboxInfo } from './commands.ts'

/** One sandbox, as Go has it. Empty texts are left out. */
export interface GoInfo {
  SandBoxName?: string
  ServiceName?: string
  /** `Running`, `Stopped` … */
  Status?: string
  Description?: string
}

/** The answer of `/ctl/info`: without sandboxes it has no list. */
export function goInfos(sandboxes: readonly SandboxInfo[]): { list?: GoInfo[] } {
  if (sandboxes.length === 0) return {}
  return {
    list: sandboxes.map(({ name, service, state, description }) => ({
      SandBoxName: name,
      ServiceName: service,
      Status: `${state[0].toUpperCase()}${state.slice(1)}`,
      ...(description === '' ? {} : { Description: description }),
    })),
  }
}

/** Sandboxes as a Go server tells them. */
export function fromGoInfos(value: unknown): SandboxInfo[] {
  const { list } = Object(value) as { list?: unknown }
  if (!Array.isArray(list)) return []
  return list.map((each) => {
    const { SandBoxName = '', ServiceName = '', Status = '', Description = '' } = Object(each) as GoInfo
    const description = `${Description}`
    const pid = Number(/^pid (\d+),/.exec(description)?.[1] ?? 0)
    return { name: `${SandBoxName}`, service: `${ServiceName}`, state: `${Status}`.toLowerCase() as SandboxInfo['state'], description, pid }
  })
}
