import { changes, type Service } from '../../contract/index.ts'
import { contractsOf, type ProtoVersion } from './contracts.ts'

/** One change of a service between two versions of a .proto file. */
interface ServiceChange {
  readonly service: string
  readonly method: string
  readonly breaking: boolean
  readonly text: string
}

/** The changes of all services of a file since an older version of it. */
export async function changesSince(before: ProtoVersion, after: ProtoVersion): Promise<ServiceChange[]> {
  const old = await servicesOf(before)
  const now = await servicesOf(after)
  const names = [...new Set([...old.keys(), ...now.keys()])]
  return names.flatMap((service): ServiceChange[] => {
    const [from, to] = [old.get(service), now.get(service)]
    if (from === undefined) return [{ service, method: '', breaking: false, text: 'was added' }]
    if (to === undefined) return [{ service, method: '', breaking: true, text: 'was removed' }]
    return changes(from, to).map((each) => ({ service, ...each }))
  })
}

async function servicesOf(version: ProtoVersion): Promise<Map<string, Service>> {
  return new Map((await contractsOf(version)).map((service) => [service.name, service]))
}
