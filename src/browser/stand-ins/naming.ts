// Pages have one mapper, that of http: there is no option for another.
import { httpName } from '../../message/naming.ts'

export { controllerName, functionName, groupPrefix, httpName, type NameMapper } from '../../message/naming.ts'

export const rpcName = httpName

export function namingOf(): string {
  return 'http'
}
