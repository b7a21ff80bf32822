// The entry point `dmicro/testing`.

export type { Clock, ClockTimer } from '../base/time/clock.ts'
export type { Delay, Faults, Way } from './faults.ts'
export type { TestHost } from './host.ts'
export type { Link, LinkEnd } from './link.ts'
export { TestNetwork } from './network.ts'
export type { RunOptions, TestNetworkOptions } from './network-options.ts'
