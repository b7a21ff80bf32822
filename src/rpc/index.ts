// The entry point `dmicro/rpc`.

export { type CachedRegistryOptions, cachedRegistry } from '../registry/cached.ts'
export { type DnsRegistryOptions, dnsRegistry } from '../registry/dns.ts'
export { type MemoryRegistryOptions, memoryRegistry } from '../registry/memory.ts'
export type { LookupOptions, RegisterOptions, Registry, Service, ServiceNode } from '../registry/registry.ts'
export { staticRegistry } from '../registry/static.ts'
export type { Candidate, PickContext, Strategy } from '../selector/strategy.ts'
