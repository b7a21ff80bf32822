import { etcdRegistry } from '../../../src/rpc/registry/etcd/index.ts'
import { service } from '../../unit/rpc/registry/contract.ts'

// Registers one node for two seconds at a time, until it is killed: `registers.ts ENDPOINT`.
const registry = etcdRegistry({ endpoints: [process.argv[2]] })
await registry.register(service('math', [1]), { ttl: 2_000 })
setInterval(() => {}, 2 ** 30)
