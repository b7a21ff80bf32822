import { containerFile, unitFile } from './deploy.ts'
import { type ApplicationShape, programFolder } from './shape.ts'

/** Ranges of the packages that an application begins with. */
const ZOD = '^4.0.0'
const TYPESCRIPT = { '@types/node': '^20.19.0', typescript: '^6.0.0' }

/** The files of a new application, by path. TypeScript is compiled to `dist/`; JavaScript runs as it is. */
export function applicationFiles(shape: ApplicationShape): Record<string, string> {
  const { name, language } = shape
  const isTyped = language === 'ts'
  const service = name.replaceAll(/-+(.?)/g, (_, next: string) => next.toUpperCase())
  const type = (text: string): string => (isTyped ? text : '')
  const file = (path: string): string => `src/${path}.${language}`
  return {
    'package.json': packageFile(shape),
    ...(isTyped ? { 'tsconfig.json': json(compilerOptions) } : undefined),
    [file('contract')]: `import { call, defineService } from 'dmicro/contract'
import { z } from 'zod'

/** The methods of this service: its server, its clients and its documents come out of it. */
export const contract = defineService('${service}', {
  hello: call(z.object({ name: z.string() }), z.object({ text: z.string() }), { docs: 'Greets.' }),
})
`,
    [file('sandbox/service')]: `import { Endpoint } from 'dmicro'
import { Sandbox } from 'dmicro/dserver'
import { contract } from '../contract.js'

/** Serves the contract. The compiler refuses a method that is missing or wrong. */
export function serve(endpoint${type(': Endpoint')}) {
  endpoint.serve(contract, { hello: ({ name }) => ({ text: \`hello \${name}\` }) }, { describe: true })
}

export class Service extends Sandbox {
  ${type('readonly ')}name = 'service'
  ${type('readonly ')}endpoint = new Endpoint()

  async setup() {
    serve(this.endpoint)
    await this.endpoint.listen(this.config.string('listen', { default: 'tcp://127.0.0.1:9000' }))
  }

  async shutdown() {
    await this.endpoint.close()
  }
}
`,
    [file('app')]: `import { DServer } from 'dmicro/dserver'
import { Service } from './sandbox/service.js'

DServer.run('${name}', (svr) => {
  svr.addSandbox(new Service())
})
`,
    [file('client')]: `import { Endpoint } from 'dmicro'
import { contract } from './contract.js'

const client = new Endpoint()
const session = await client.dial(process.argv[2] ?? 'tcp://127.0.0.1:9000')
const { text } = await session.client(contract).hello({ name: 'ann' })
console.log(text)
await client.close()
`,
    [file('test/service.test')]: `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Endpoint } from 'dmicro'
import { contract } from '../contract.js'
import { serve } from '../sandbox/service.js'

test('greets', async (t) => {
  const server = new Endpoint({ log: false })
  t.after(() => server.close())
  serve(server)
  const { url } = await server.listen('tcp://127.0.0.1:0')
  const session = await server.dial(url)
  assert.deepEqual(await session.client(contract).hello({ name: 'ann' }), { text: 'hello ann' })
})
`,
    'README.md': readme(shape),
    Dockerfile: containerFile(shape),
    '.dockerignore': 'node_modules\ndist\n.git\n',
    '.gitignore': 'node_modules\ndist\n',
    [`${name}.service`]: unitFile(shape),
  }
}

function packageFile({ name, version, language }: ApplicationShape): string {
  const folder = programFolder(language)
  const build = language === 'ts' ? { build: 'tsc', prestart: 'tsc', pretest: 'tsc' } : undefined
  return json({
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: '>=20.19.0' },
    scripts: {
      ...build,
      start: `node ${folder}/app.js start`,
      client: `node ${folder}/client.js`,
      test: `node --test ${folder}/test/*.test.js`,
    },
    dependencies: { dmicro: `^${version}`, zod: ZOD },
    ...(language === 'ts' ? { devDependencies: TYPESCRIPT } : undefined),
  })
}

const compilerOptions = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    rootDir: 'src',
    outDir: 'dist',
    skipLibCheck: true,
  },
  include: ['src'],
}

function readme({ name, language }: ApplicationShape): string {
  return `# ${name}

\`\`\`sh
npm install
npm test
npm start            # serves on tcp://127.0.0.1:9000, until Ctrl-C
npm run client       # in a second terminal
npx dmctl describe 127.0.0.1:9000
\`\`\`

| file | |
|---|---|
| \`src/contract.${language}\` | what the service offers |
| \`src/sandbox/service.${language}\` | what it does; its option \`listen\` is \`sandbox.service.listen\` of \`config.toml\` |
| \`src/app.${language}\` | the application: \`node ${programFolder(language)}/app.js start\`, \`stop\`, \`reload\`, \`ctl\` |
| \`src/client.${language}\` | a client |
| \`src/test/\` | tests |
| \`Dockerfile\`, \`${name}.service\` | a container, a service of systemd |
`
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
