/** States of a process, with the numbers of Go DMicro. */
export const ProcessState = {
  /** Never started, or ended by `stop`. */
  Stopped: 0,
  /** Spawned, not ready yet. */
  Starting: 10,
  /** Ready. */
  Running: 20,
  /** Ended, and will be started again after a delay. */
  Backoff: 30,
  /** Told to end. */
  Stopping: 40,
  /** Ended by itself, and the restart policy does not start it again. */
  Exited: 100,
  /** Did not start, or ended too often. */
  Fatal: 200,
  /** Did not end within its time even after SIGKILL. */
  Unknown: 1000,
} as const

export type ProcessState = (typeof ProcessState)[keyof typeof ProcessState]

/** Names of the states as records and events show them. */
export type StateName = keyof typeof ProcessState

const names = new Map<ProcessState, StateName>(Object.entries(ProcessState).map(([name, state]) => [state, name as StateName]))

/** The name of a state. */
export function stateName(state: ProcessState): StateName {
  return names.get(state) as StateName
}

/** Which state may follow which. */
const next: Readonly<Record<StateName, readonly StateName[]>> = {
  Stopped: ['Starting'],
  Starting: ['Running', 'Backoff', 'Stopping', 'Exited', 'Fatal'],
  Running: ['Stopping', 'Exited', 'Backoff', 'Fatal'],
  Backoff: ['Starting', 'Stopped', 'Exited', 'Fatal'],
  Stopping: ['Stopped', 'Unknown'],
  Exited: ['Starting'],
  Fatal: ['Starting'],
  Unknown: ['Stopped', 'Backoff', 'Exited', 'Fatal'],
}

/** Whether a process may go from one state to the other. */
export function mayFollow(from: ProcessState, to: ProcessState): boolean {
  return next[stateName(from)].includes(stateName(to))
}

/** Whether the state has a child process. */
export function hasChild(state: ProcessState): boolean {
  return (
    state === ProcessState.Starting || state === ProcessState.Running || state === ProcessState.Stopping || state === ProcessState.Unknown
  )
}
