/** The files of a new application, by path. It is JavaScript, so that it runs without a build. */
export function applicationFiles(name: string, version: string): Record<string, string> {
  const service = name.replaceAll(/-+(.?)/g, (_, next: string) => next.toUpperCase())
  return {
    'package.json': `${JSON.stringify(
      {
        name,
        version: '0.1.0',
        private: true,
        type: 'module',
        engines: { node: '>=20.19.0' },
        scripts: { start: 'node app.js start', test: 'node --test test/*.test.js' },
        dependencies: { dmicro: `^${version}` },
      },
      null,
      2,
    )}\n`,
    'app.js': `import { DServer } from 'dmicro/dserver'
import { Service } from './sandbox/service.js'

DServer.run('${name}', (svr) => svr.addSandbox(new Service()))
`,
    'contract.js': `import { call, defineService, plain } from 'dmicro/contract'

export const contract = defineService('${service}', {
  hello: call(plain({ type: 'string' }), plain({ type: 'string' }), { docs: 'Greets.' }),
})
`,
    'sandbox/service.js': `import { Endpoint } from 'dmicro'
import { Sandbox } from 'dmicro/dserver'
import { contract } from '../contract.js'

export const implementation = {
  hello: (name) => \`hello \${name}\`,
}

export class Service extends Sandbox {
  name = 'service'
  endpoint = new Endpoint()

  async setup() {
    this.endpoint.serve(contract, implementation, { describe: true })
    await this.endpoint.listen(this.config.string('listen', { default: 'tcp://127.0.0.1:9000' }))
  }

  async shutdown() {
    await this.endpoint.close()
  }
}
`,
    'test/service.test.js': `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Endpoint } from 'dmicro'
import { contract } from '../contract.js'
import { implementation } from '../sandbox/service.js'

test('greets', async (t) => {
  const server = new Endpoint({ log: false })
  t.after(() => server.close())
  server.serve(contract, implementation)
  const { url } = await server.listen('tcp://127.0.0.1:0')
  const session = await server.dial(url)
  assert.equal(await session.client(contract).hello('ann'), 'hello ann')
})
`,
    Dockerfile: `FROM node:24-slim
WORKDIR /app
COPY package*.json ./
RUN npm install --omit=dev --ignore-scripts
COPY . .
USER node
CMD ["node", "app.js", "start"]
`,
    '.dockerignore': 'node_modules\ntest\n',
    '.gitignore': 'node_modules\n',
    [`${name}.service`]: `[Unit]
Description=${name}
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
WorkingDirectory=/opt/${name}
ExecStart=/usr/bin/env node app.js start
ExecReload=/usr/bin/env node app.js reload
Restart=on-failure
DynamicUser=yes
RuntimeDirectory=${name}

[Install]
WantedBy=multi-user.target
`,
  }
}
