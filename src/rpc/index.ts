export type { LookupOptions, RegisterOptions, Registry, Service, ServiceNode } from '../registry/registry.js'
export type { Candidate, PickContext, Strategy } from '../selector/strategy.js'
