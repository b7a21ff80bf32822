import type { SandboxInfo } from '../ctl/commands.ts'
import { CommandError, ExitCode } from '../shell/exit-code.ts'
import { ask } from './operate.ts'
import type { Output } from './output.ts'

/** `ctl COMMAND [NAME]`: one command to the running server. */
export async function ctl(
  name: string,
  words: readonly string[],
  flags: { pid?: string; timeout: number },
  output: Output,
): Promise<number> {
  const [command = 'info', target = ''] = words
  const { timeout } = flags
  switch (command) {
    case 'info':
    case 'status': {
      const sandboxes = await ask(name, flags, (client) => client.call('/dserver/info', undefined, timeout))
      return output.done({ sandboxes }, table(sandboxes))
    }
    case 'ps': {
      const processes = await ask(name, flags, (client) => client.call('/dserver/ps', undefined, timeout))
      const lines = processes.map(({ name, pid, state, uptime, memory }) => `${name}\t${pid}\t${state}\t${uptime} ms\t${memory} B`)
      return output.done({ processes }, lines.join('\n'))
    }
    case 'start':
    case 'stop':
      if (target === '') throw new CommandError(ExitCode.Usage, `ctl ${command} needs the name of a sandbox`)
      await ask(name, flags, (client) => client.call(`/dserver/${command}`, target, timeout))
      return output.done({ sandbox: target }, `${target}: done`)
    case 'reload':
      await ask(name, flags, (client) => client.call('/dserver/reload', target, timeout))
      return output.done({ target }, 'reloaded')
    case 'config':
      await ask(name, flags, (client) => client.call('/dserver/config', undefined, timeout))
      return output.done({}, 'the configuration was read again')
    default:
      throw new CommandError(ExitCode.Usage, `unknown command ${JSON.stringify(command)}; there are: info, ps, start, stop, reload, config`)
  }
}

function table(sandboxes: readonly SandboxInfo[]): string {
  return sandboxes.map(({ name, service, state, description }) => [name, service, state, description].join('\t')).join('\n')
}
