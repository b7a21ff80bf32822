/**
 * The redis version that clients are given to decide what they may use. Formats and texts are those of this version,
 * and SETINFO of the next.
 */
const VERSION = '7.0.0'

const ok = '+OK\r\n'
/** Number of connections that the process has had. */
let connections = 0

/**
 * Answers commands that clients send on their own, about the connection and the server, as a redis server without data
 * and password does. Routes with these names take precedence. The commands have no effect except to store what the
 * client says about itself.
 */
export class Connection {
  /** RESP version of replies. */
  proto: 2 | 3 = 2
  readonly #id = ++connections
  #name = ''
  #library = ''
  #libraryVersion = ''

  /**
   * Answers a command.
   *
   * @param name name of the command as sent
   * @returns undefined for another command
   */
  answer(name: string, args: readonly Buffer[]): string | Uint8Array | undefined {
    switch (name.toLowerCase()) {
      case 'ping':
        return args.length > 1 ? arity('ping') : args.length === 0 ? '+PONG\r\n' : echoed(args[0])
      case 'echo':
        return args.length === 1 ? echoed(args[0]) : arity('echo')
      case 'select':
        return args.length === 1 ? select(`${args[0]}`) : arity('select')
      case 'auth':
        return this.#auth(args)
      case 'hello':
        return this.#hello(args)
      case 'reset':
        return args.length === 0 ? this.#reset() : arity('reset')
      case 'info':
        return this.#text(infoOf(args))
      case 'client':
        return this.#client(args)
      case 'command':
        return this.#command(args)
      default:
        return undefined
    }
  }

  get null(): string {
    return this.proto === 3 ? '_\r\n' : '$-1\r\n'
  }

  #auth(args: readonly Buffer[]): string {
    if (args.length === 0) return arity('auth')
    if (args.length > 2) return '-ERR syntax error\r\n'
    if (args.length === 2) return `${args[0]}` === 'default' ? ok : wrongPassword
    return '-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n'
  }

  /** Answers HELLO. Nothing changes unless all its arguments are valid. */
  #hello(args: readonly Buffer[]): string {
    let { proto } = this
    let name = this.#name
    if (args.length > 0) {
      const asked = integer(`${args[0]}`)
      if (asked === undefined) return '-ERR Protocol version is not an integer or out of range\r\n'
      if (asked !== 2 && asked !== 3) return '-NOPROTO unsupported protocol version\r\n'
      proto = asked
    }
    for (let i = 1; i < args.length; ) {
      const option = `${args[i]}`.toLowerCase()
      if (option === 'auth' && i + 2 < args.length) {
        if (`${args[i + 1]}` !== 'default') return wrongPassword
        i += 3
      } else if (option === 'setname' && i + 1 < args.length) {
        name = `${args[i + 1]}`
        if (!isName(name)) return badName
        i += 2
      } else {
        return `-ERR Syntax error in HELLO option '${shown(args[i])}'\r\n`
      }
    }
    this.proto = proto
    this.#name = name
    const fields = [
      bulk('server'),
      bulk('redis'),
      bulk('version'),
      bulk(VERSION),
      bulk('proto'),
      `:${proto}\r\n`,
      bulk('id'),
      `:${this.#id}\r\n`,
    ]
    const rest = [bulk('mode'), bulk('standalone'), bulk('role'), bulk('master'), bulk('modules'), '*0\r\n']
    return this.#map([...fields, ...rest])
  }

  #reset(): string {
    this.proto = 2
    this.#name = ''
    return '+RESET\r\n'
  }

  #client([sub, ...args]: readonly Buffer[]): string {
    if (sub === undefined) return arity('client')
    const name = `${sub}`.toLowerCase()
    const takes = Object.hasOwn(clientArity, name) ? clientArity[name] : undefined
    if (takes === undefined) return unknownSubcommand(sub, 'CLIENT')
    if (args.length !== takes) return arity(`client|${name}`)
    switch (name) {
      case 'id':
        return `:${this.#id}\r\n`
      case 'getname':
        return this.#name === '' ? this.null : bulk(this.#name)
      case 'setname':
        if (!isName(`${args[0]}`)) return badName
        this.#name = `${args[0]}`.slice(0, MAX_KEPT)
        return ok
      case 'setinfo':
        return this.#setInfo(`${args[0]}`.toLowerCase(), args)
      case 'info':
      case 'list':
        return this.#text(
          `id=${this.#id} name=${this.#name} db=0 user=default resp=${this.proto} lib-name=${this.#library} lib-ver=${this.#libraryVersion}\n`,
        )
      case 'reply':
        return `${args[0]}`.toLowerCase() === 'on' ? ok : '-ERR syntax error\r\n'
      default:
        return /^(?:on|off)$/i.test(`${args[0]}`) ? ok : '-ERR syntax error\r\n'
    }
  }

  #setInfo(option: string, [given, value]: readonly Buffer[]): string {
    if (option !== 'lib-name' && option !== 'lib-ver') return `-ERR Unrecognized option '${shown(given)}'\r\n`
    const text = `${value}`
    if (!isName(text)) return `-ERR ${option} cannot contain spaces, newlines or special characters.\r\n`
    if (option === 'lib-name') this.#library = text.slice(0, MAX_KEPT)
    else this.#libraryVersion = text.slice(0, MAX_KEPT)
    return ok
  }

  /** Answers COMMAND, without revealing the routes. */
  #command([sub, ...names]: readonly Buffer[]): string {
    switch (sub === undefined ? '' : `${sub}`.toLowerCase()) {
      case '':
      case 'list':
        return '*0\r\n'
      case 'count':
        return ':0\r\n'
      case 'docs':
        return this.#map([])
      case 'info':
        return `*${names.length}\r\n${this.null.repeat(names.length)}`
      default:
        return unknownSubcommand(sub, 'COMMAND')
    }
  }

  /**
   * Formats a map.
   *
   * @param members keys and values, alternating
   */
  #map(members: readonly string[]): string {
    return `${this.proto === 3 ? `%${members.length / 2}` : `*${members.length}`}\r\n${members.join('')}`
  }

  #text(text: string): string {
    return this.proto === 3 ? `=${Buffer.byteLength(text) + 4}\r\ntxt:${text}\r\n` : bulk(text)
  }
}

const commands = new Set(['ping', 'echo', 'select', 'auth', 'hello', 'reset', 'info', 'client', 'command'])
const LONGEST = 7

export function isConnectionCommand(name: Buffer): boolean {
  return name.length <= LONGEST && commands.has(name.toString('latin1').toLowerCase())
}

/** Maximum length of a stored client name. */
const MAX_KEPT = 256
/** Maximum length of client text that an error repeats. */
const MAX_SHOWN = 128

/** Number of arguments of each subcommand of CLIENT. */
const clientArity: Readonly<Record<string, number>> = {
  id: 0,
  getname: 0,
  setname: 1,
  setinfo: 2,
  info: 0,
  list: 0,
  reply: 1,
  'no-evict': 1,
  'no-touch': 1,
}

const sections: Readonly<Record<string, string>> = {
  server: `# Server\r\nredis_version:${VERSION}\r\nredis_mode:standalone\r\n`,
  persistence: '# Persistence\r\nloading:0\r\n',
  replication: '# Replication\r\nrole:master\r\nconnected_slaves:0\r\n',
}

function infoOf(names: readonly Buffer[]): string {
  const asked = new Set(names.map((name) => `${name}`.toLowerCase()))
  const all = asked.size === 0 || ['default', 'all', 'everything'].some((name) => asked.has(name))
  return Object.keys(sections)
    .filter((name) => all || asked.has(name))
    .map((name) => sections[name])
    .join('\r\n')
}

const wrongPassword = '-WRONGPASS invalid username-password pair or user is disabled.\r\n'
const badName = '-ERR Client names cannot contain spaces, newlines or special characters.\r\n'

function select(index: string): string {
  const asked = integer(index)
  if (asked === undefined) return '-ERR value is not an integer or out of range\r\n'
  return asked === 0 ? ok : '-ERR DB index is out of range\r\n'
}

function integer(text: string): number | undefined {
  return /^-?[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}

function isName(text: string): boolean {
  return /^[!-~]*$/.test(text)
}

function arity(command: string): string {
  return `-ERR wrong number of arguments for '${command}' command\r\n`
}

function unknownSubcommand(name: Buffer, command: string): string {
  return `-ERR unknown subcommand '${shown(name)}'. Try ${command} HELP.\r\n`
}

/** Text of a word on one line, because a line break would begin another reply. */
function shown(word: Buffer): string {
  return word.toString('utf8', 0, MAX_SHOWN).replace(/[\r\n]/g, ' ')
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}

function echoed(bytes: Buffer): Uint8Array {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')])
}
