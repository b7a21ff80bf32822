import { reasonOf } from '../base/errors/error-text.ts'
import { checkDescription } from '../contract/check-description.ts'
import type { ServiceDescription } from '../contract/description.ts'
import { DESCRIBE_ROUTE } from '../contract/description-route.ts'
import type { Session } from '../session/session.ts'
import { CommandError, Exit } from './failure.ts'

/** The route in messages to people, with what makes a server answer it. */
export const DESCRIBE = `${DESCRIBE_ROUTE} (serve with describe: true)`

/**
 * The descriptions of the services that a peer serves with `describe: true`.
 *
 * @throws StatusError for a call that fails
 * @throws CommandError for an answer that is no description, with the place of what is wrong
 */
export async function readServices(session: Session): Promise<readonly ServiceDescription[]> {
  const answer = await session.call<{ services?: unknown } | null>(DESCRIBE_ROUTE, undefined, { codec: 'json', acceptCodec: 'json' })
  const services = answer?.services
  if (!Array.isArray(services)) throw new CommandError(Exit.Failed, `${DESCRIBE_ROUTE} answered no list of services`)
  try {
    return checkServices(services)
  } catch (error) {
    throw new CommandError(Exit.Failed, `${DESCRIBE_ROUTE} answered no description: ${reasonOf(error)}`)
  }
}

/**
 * Those of a list that are descriptions of the form that is known here.
 *
 * @throws TypeError for one that is none, with the place of what is wrong
 */
export function checkServices(list: readonly unknown[]): readonly ServiceDescription[] {
  return list.flatMap((each, i) => {
    const isOfThisForm = (each as Partial<ServiceDescription> | null)?.dmicro === 1
    return isOfThisForm ? [checkDescription(each, `services[${i}]`)] : []
  })
}
