import { etcdRegistry } from '../../../src/rpc/registry/etcd/index.ts'
import { contract } from '../../unit/rpc/registry/contract.ts'
import { suite } from '../support/suite.ts'
import { EtcdServer } from './servers.ts'
import { versions } from './versions.ts'

for (const [version, prepare] of Object.entries(versions)) {
  await suite(`etcd ${version}`, prepare, (binary) => {
    contract(`etcdRegistry with etcd ${version}`, async (t, services) => {
      const server = await EtcdServer.start(t, binary)
      const registry = etcdRegistry({ endpoints: [server.endpoint] })
      t.after(() => registry.close())
      for (const service of services) await registry.register(service)
      return { registry, add: (service) => registry.register(service), remove: (service) => registry.deregister(service) }
    })
  })
}
