// The projects that type-speed.mjs measures, and that test/unit/contract/type-speed.test.ts counts: files by name.

const plain = (i) => `plain<{ a${i}: string; b: number }>()`
const zod = (i) => `z.object({ a${i}: z.string(), b: z.number() })`

const imports = `import { call, defineService, plain, push, type Service } from 'dmicro/contract'
import { z } from 'zod'
void plain, void z
`
const client = `import type { Session } from 'dmicro'
import { Big } from './contract.js'
declare const session: Session
const client = session.client(Big)
`

/** Files that serve a contract and call each of its methods, and `main.ts`, where somebody types. */
function used(numbers) {
  return {
    'server.ts': `import { Endpoint } from 'dmicro'
import { Big } from './contract.js'
new Endpoint().serve(Big, {
${numbers.map((i) => (i % 10 === 9 ? `  method${i}: (arg) => void arg.a${i},` : `  method${i}: (arg) => ({ a${i + 1}: arg.a${i}, b: arg.b + 1 }),`)).join('\n')}
})
`,
    'calls.ts': `${client}${numbers.map((i) => `await client.method${i}({ a${i}: 'x', b: ${i} })`).join('\n')}\n`,
    'main.ts': `${client}void client\n`,
  }
}

const method = (body, i) => (i % 10 === 9 ? `push(${body(i)})` : `call(${body(i)}, ${body(i + 1)})`)

/** A contract whose methods are in one object. */
function literal(numbers, body) {
  const methods = numbers.map((i) => `  method${i}: ${method(body, i)},`).join('\n')
  return { 'contract.ts': `${imports}export const Big = defineService('big', {\n${methods}\n})\n`, ...used(numbers) }
}

/**
 * A contract whose methods are what a module exports, and whose type is written: a method's is made when it is used.
 */
function exported(numbers, body) {
  return {
    'contract.ts': `${imports}import * as methods from './methods.js'
export const Big: Service<typeof methods> = defineService('big', methods)
`,
    'methods.ts': `${imports}${numbers.map((i) => `export const method${i} = ${method(body, i)}`).join('\n')}\n`,
    ...used(numbers),
  }
}

/** The floors: as many schemas in one object, passed to nothing; and in calls of a function that infers their types. */
function schemas(numbers, call) {
  const head = `import { z } from 'zod'
interface Method<Arg, Result> { arg: Arg; result: Result }
declare function call<Arg, Result>(arg: Arg, result: Result): Method<Arg, Result>
void call
`
  const members = numbers.map((i) =>
    call ? `  method${i}: call(${zod(i)}, ${zod(i + 1)}),` : `  method${i}: { arg: ${zod(i)}, result: ${zod(i + 1)} },`,
  )
  return {
    'contract.ts': `${head}export const client = {\n${members.join('\n')}\n}\n`,
    'main.ts': "import { client } from './contract.js'\nvoid client\n",
  }
}

/** Another floor: the types of a client, written by hand. */
function written(numbers) {
  const methods = numbers.map((i) => `  method${i}(arg: { a${i}: string; b: number }): Promise<{ a${i + 1}: string; b: number }>`)
  return { 'contract.ts': `export interface Client {\n${methods.join('\n')}\n}\n`, ...called(numbers) }
}

/** A file that calls each method of an interface `Client`. */
function called(numbers) {
  const head = "import type { Client } from './contract.js'\ndeclare const client: Client\n"
  return {
    'calls.ts': `${head}${numbers.map((i) => `await client.method${i}({ a${i}: 'x', b: ${i} })`).join('\n')}\n`,
    'main.ts': `${head}void client\n`,
  }
}

/** The floor of tsc with schemas: types that zod itself infers, in a client and a server written by hand. */
function inferred(numbers) {
  const members = (type) => numbers.map((i) => `  method${i}${type(i)}`).join('\n')
  const client = members((i) => `(arg: z.input<typeof schemas.arg${i}>): Promise<z.output<typeof schemas.result${i}>>`)
  const server = members((i) => `(arg: z.output<typeof schemas.arg${i}>): z.input<typeof schemas.result${i}>`)
  return {
    'schemas.ts': `import { z } from 'zod'
${numbers.map((i) => `export const arg${i} = ${zod(i)}\nexport const result${i} = ${zod(i + 1)}`).join('\n')}
`,
    'contract.ts': `import type { z } from 'zod'
import type * as schemas from './schemas.js'
export interface Client {\n${client}\n}
export interface Server {\n${server}\n}
`,
    'server.ts': `import type { Server } from './contract.js'
export const server: Server = {
${numbers.map((i) => `  method${i}: (arg) => ({ a${i + 1}: arg.a${i}, b: arg.b + 1 }),`).join('\n')}
}
`,
    ...called(numbers),
  }
}

function trpc(numbers) {
  const head = `import type { router } from './contract.js'
import { createTRPCClient, httpLink } from '@trpc/client'
const client = createTRPCClient<typeof router>({ links: [httpLink({ url: '' })] })
`
  const methods = numbers.map(
    (i) =>
      `  method${i}: t.procedure.input(${zod(i)}).output(${zod(i + 1)}).mutation(({ input }) => ({ a${i + 1}: input.a${i}, b: input.b + 1 })),`,
  )
  return {
    'contract.ts': `import { initTRPC } from '@trpc/server'
import { z } from 'zod'
const t = initTRPC.create()
export const router = t.router({
${methods.join('\n')}
})
`,
    'calls.ts': `${head}${numbers.map((i) => `await client.method${i}.mutate({ a${i}: 'x', b: ${i} })`).join('\n')}\n`,
    'main.ts': `${head}void client\n`,
  }
}

/** Projects by name. */
export function sources(count, withTrpc) {
  const numbers = Array.from({ length: count }, (_, i) => i)
  return {
    empty: { 'main.ts': 'export {}\n' },
    plain: literal(numbers, plain),
    zod: literal(numbers, zod),
    'plain-exported': exported(numbers, plain),
    'zod-exported': exported(numbers, zod),
    ...(withTrpc ? { trpc: trpc(numbers) } : undefined),
    'floor-types': written(numbers),
    'floor-inferred': inferred(numbers),
    'floor-schemas': schemas(numbers, false),
    'floor-calls': schemas(numbers, true),
  }
}
