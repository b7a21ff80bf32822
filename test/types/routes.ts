import { z } from 'zod'
import { bytes, type Endpoint, type MessageType, type RouteGroup } from '../../src/index.ts'
import { All } from '../protobuf/messages.ts'

// Compiled and never run: what the types of routes allow, and what they must not.

const Point = z.object({ x: z.number() })
declare const User: MessageType<{ id: number }>

export function resultsOfHandlers(routes: Endpoint | RouteGroup): void {
  routes.routeCall('/same', (n: number) => n, { result: z.number() })
  routes.routeCall('/more', () => ({ x: 1, y: 2 }), { result: Point })
  routes.routeCall('/late', async () => ({ x: 1 }), { result: Point })
  routes.routeCall('/literal', () => 'a', { result: z.enum(['a', 'b']) })
  routes.routeCall('/any', (n: number) => n, { result: z.unknown() })
  routes.routeCall('/input', () => '5', { result: z.string().transform(Number) })
  routes.routeCall('/type', () => ({ anything: 1 }), { result: All })
  routes.routeCall('/bytes', () => Buffer.alloc(1), { result: bytes })
  routes.routeCall('/none', () => Symbol('no schema'))
  routes.routeCall('/both', (point) => point.x, { arg: Point, result: z.number() })
  routes.routeCall('/user', (user) => user.id, { arg: User, plugins: undefined })
  routes.routeCall(
    function named(n: number) {
      return n
    },
    { result: z.number() },
  )

  // @ts-expect-error a number where the schema takes text
  routes.routeCall('/wrong', (n: number) => n, { result: z.string() })
  // @ts-expect-error of a promise too
  routes.routeCall('/wrong', async (n: number) => n, { result: z.string() })
  // @ts-expect-error a member is missing
  routes.routeCall('/wrong', () => ({ y: 1 }), { result: Point })
  // @ts-expect-error nothing is returned
  routes.routeCall('/wrong', () => {}, { result: Point })
  // @ts-expect-error what the schema takes, not what it makes
  routes.routeCall('/wrong', () => 5, { result: z.string().transform(Number) })
  // @ts-expect-error of a function with a name
  routes.routeCall(function named() { return 1 }, { result: z.string() }) // biome-ignore format: one line
  // @ts-expect-error an argument that the schema does not make
  routes.routeCall('/wrong', (n: number) => n, { arg: z.string() })
  // @ts-expect-error a push has no result
  routes.routePush('/wrong', () => 1, { result: z.number() })
}
