export type { EtcdOptions } from './options.ts'
export { type EtcdRegistry, etcdRegistry } from './registry.ts'
export type { EtcdStats } from './stats.ts'
