import type { Codec } from '../codecs/codec.ts'
import { checkPushOptions, type PushOptions, requireMethod } from '../message/call-options.ts'
import { asWriteFailure } from '../transports/failures.ts'
import { codecNamed } from './core.ts'
import { PUSHED } from './push-result.ts'
import { engineOf, type Session } from './session.ts'

/**
 * Pushes `arg` to each of `sessions`, as `Session.push` does, but encodes it once for all that use the same codec. Only
 * sessions of endpoints whose plugins see pushes encode it each for itself.
 *
 * Resolves to the number of sessions that took it. The others are closed, or their peers do not read.
 *
 * @throws TypeError (rejects) that names a bad option, StatusError 104 for an `arg` that cannot be encoded
 * @example
 * await pushAll(server.sessions(), '/news', { text: 'hello' })
 */
export async function pushAll(sessions: Iterable<Session>, method: string, arg?: unknown, options?: PushOptions): Promise<number> {
  requireMethod(method)
  if (options !== undefined) checkPushOptions(options)
  const bodies = new Map<Codec, unknown>()
  let taken = 0
  const took = (): void => void taken++
  const waits: Promise<void>[] = []
  for (const session of sessions) {
    const { settings, hooks } = engineOf(session)
    const codec = codecNamed(settings, options?.codec, 'codec')
    if (!hooks.pushesOut && !bodies.has(codec)) bodies.set(codec, encoded(codec, arg, options))
    const pushed = session.push(method, hooks.pushesOut ? arg : bodies.get(codec), options)
    if (pushed === PUSHED) taken++
    else waits.push(pushed.then(took, ignore))
  }
  if (waits.length > 0) await Promise.all(waits)
  return taken
}

/** The body of `arg`, which no later message overwrites: a codec may use its memory again. */
function encoded(codec: Codec, arg: unknown, options: PushOptions | undefined): unknown {
  if (arg === undefined || arg instanceof Uint8Array) return arg
  try {
    return Buffer.from(codec.encode(arg, options?.arg) as string)
  } catch (error) {
    throw asWriteFailure(error)
  }
}

/** A session that takes no push is counted by what is missing from the sum. */
const ignore = (): void => {}
