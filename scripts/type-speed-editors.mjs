// The editor's side of the language servers of TypeScript 6 and 7, for type-speed.mjs: what it opens, changes and asks.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

/** tsserver, of TypeScript 6 and before. */
export function tsserver(script) {
  const server = spawn(process.execPath, [script, '--disableAutomaticTypingAcquisition'])
  const waiting = new Map()
  createInterface({ input: server.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return
    const message = JSON.parse(line)
    waiting.get(message.request_seq)?.(message)
  })
  let seq = 0
  const tell = (command, args) => {
    server.stdin.write(`${JSON.stringify({ seq: ++seq, type: 'request', command, arguments: args })}\n`)
    return seq
  }
  const ask = (command, args) => new Promise((settle) => waiting.set(tell(command, args), settle))
  return {
    async open(_, ...files) {
      for (const { file, text } of files) tell('open', { file, fileContent: text })
      await ask('status')
    },
    change: (file) => void tell('change', { file, line: 1, offset: 1, endLine: 1, endOffset: 1, insertString: ' ' }),
    async complete(file, { line, character }) {
      const { body } = await ask('completionInfo', { file, line: line + 1, offset: character + 1, triggerCharacter: '.' })
      return body?.entries.length ?? 0
    },
    close: () => void server.kill(),
  }
}

/** The language server of TypeScript 7, which speaks LSP. */
export function languageServer(executable) {
  const server = spawn(executable, ['--lsp', '--stdio'])
  const waiting = new Map()
  let received = Buffer.alloc(0)
  server.stdout.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    for (;;) {
      const end = received.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/content-length: (\d+)/i.exec(received.subarray(0, end).toString())[1])
      if (received.length < end + 4 + length) return
      const message = JSON.parse(received.subarray(end + 4, end + 4 + length).toString())
      received = received.subarray(end + 4 + length)
      if (message.method === undefined) waiting.get(message.id)?.(message)
      else if (message.id !== undefined) send({ id: message.id, result: message.method === 'workspace/configuration' ? [null] : null })
    }
  })
  const send = (message) => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  }
  let last = 0
  const ask = (method, params) =>
    new Promise((settle) => {
      waiting.set(++last, settle)
      send({ id: last, method, params })
    })
  const uri = (file) => pathToFileURL(file).href
  let version = 1
  const start = { line: 0, character: 0 }
  return {
    async open(folder, ...files) {
      await ask('initialize', { processId: process.pid, rootUri: uri(folder), capabilities: {} })
      send({ method: 'initialized', params: {} })
      for (const { file, text } of files)
        send({ method: 'textDocument/didOpen', params: { textDocument: { uri: uri(file), languageId: 'typescript', version, text } } })
    },
    change: (file) =>
      send({
        method: 'textDocument/didChange',
        params: { textDocument: { uri: uri(file), version: ++version }, contentChanges: [{ range: { start, end: start }, text: ' ' }] },
      }),
    async complete(file, position) {
      const context = { triggerKind: 2, triggerCharacter: '.' }
      const { result } = await ask('textDocument/completion', { textDocument: { uri: uri(file) }, position, context })
      return (result?.items ?? result)?.length ?? 0
    },
    close: () => void server.kill(),
  }
}
