#!/usr/bin/env node
// The command `protoc-gen-dmicro`, which protoc and buf start: a request on stdin, its answer on stdout.

import { buffer } from 'node:stream/consumers'
import { reasonOf } from '../../base/errors/error-text.ts'
import { ownVersion } from '../package-info.ts'
import { respond } from './plugin.ts'

const USAGE = `protoc-gen-dmicro ${ownVersion()}: a plugin of protoc and buf, which start it.
  protoc --plugin=node_modules/.bin/protoc-gen-dmicro --dmicro_out=gen -I proto proto/shop.proto
Without protoc: dmctl gen proto/shop.proto --out gen`

async function main(): Promise<number> {
  const [argument] = process.argv.slice(2)
  if (argument === '--version' || argument === '-V') {
    console.log(ownVersion())
    return 0
  }
  if (argument !== undefined || process.stdin.isTTY) {
    const isHelp = argument === '--help' || argument === '-h'
    process[isHelp ? 'stdout' : 'stderr'].write(`${USAGE}\n`)
    return isHelp ? 0 : 2
  }
  try {
    process.stdout.write(await respond(await buffer(process.stdin)))
    return 0
  } catch (error) {
    process.stderr.write(`protoc-gen-dmicro: stdin has no request of protoc: ${reasonOf(error)}\n`)
    return 1
  }
}

// protoc may have ended.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
void main().then((code) => {
  process.exitCode = code
})
