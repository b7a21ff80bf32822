import { DServer, Sandbox } from '../../src/dserver/index.ts'

// Compiled and never run: what the types of a server allow.

class Hello extends Sandbox {
  name = 'hello'
  async setup(): Promise<void> {
    const port: number = this.config.number('port', { default: 1 })
    const host: string | undefined = this.config.string('host', { default: undefined })
    const names: string[] = this.config.list('names')
    void [port, host, names, this.find<Hello>('other')?.name]
    // @ts-expect-error it may be missing
    const missing: string = this.config.string('host', { default: undefined })
    void missing
  }
  async shutdown(): Promise<void> {}
}

// @ts-expect-error a sandbox has a name, a setup and a shutdown
class Nothing extends Sandbox {}
void Nothing

DServer.run('app', (svr) => svr.addSandbox(new Hello()))
DServer.run(
  'app',
  async (svr) => {
    svr.processModel('multi')
    svr.newService('web', { instances: 2, listen: ['tcp://127.0.0.1:1'] }).addSandbox(new Hello(), new Hello())
    svr.addSandbox(new Hello(), 'web')
    svr.beforeStop(() => false)
    // @ts-expect-error no such model
    svr.processModel('many')
    // @ts-expect-error no sandbox
    svr.addSandbox({ name: 'x' })
  },
  { version: undefined, stopTimeout: undefined, log: false, commands: (program) => program.command('extra') },
)
// @ts-expect-error no such option
DServer.run('app', () => {}, { stopTime: 1 })
