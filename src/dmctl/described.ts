import type { ServiceDescription } from '../contract/description.ts'
import { DESCRIBE_ROUTE } from '../contract/description-route.ts'
import type { Session } from '../session/session.ts'

/** The route in messages to people, with what makes a server answer it. */
export const DESCRIBE = `${DESCRIBE_ROUTE} (serve with describe: true)`

/** The descriptions of the services that a peer serves with `describe: true`. */
export async function readServices(session: Session): Promise<readonly ServiceDescription[]> {
  const answer = await session.call<{ services?: unknown } | null>(DESCRIBE_ROUTE, undefined, { codec: 'json', acceptCodec: 'json' })
  const services = answer?.services
  if (!Array.isArray(services)) throw new TypeError(`${DESCRIBE_ROUTE} answered no list of services`)
  return services.filter((each) => each?.dmicro === 1 && Array.isArray(each.methods)) as ServiceDescription[]
}
