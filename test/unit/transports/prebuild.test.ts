import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMusl, machineName } from '../../../src/transports/native/prebuild.ts'

const line = (file: string): string => `7f0000000000-7f0000001000 r-xp 00000000 fe:01 123    ${file}\n`

test('musl is told from glibc by the files that a process has mapped', () => {
  assert.equal(isMusl(line('/usr/bin/node') + line('/lib/ld-musl-x86_64.so.1')), true) // Alpine
  assert.equal(isMusl(line('/usr/lib/aarch64-linux-musl/libc.so')), true) // Debian's musl
  assert.equal(isMusl(line('/usr/bin/node') + line('/usr/lib/x86_64-linux-gnu/libc.so.6')), false)
  assert.equal(isMusl(line('/lib64/libc-2.28.so')), false)
  assert.equal(isMusl(line('/lib/ld-musl-x86_64.so.1') + line('/lib/x86_64-linux-gnu/libc.so.6')), false)
  assert.equal(isMusl(''), false)
})

test('this machine has a name', () => {
  assert.ok(machineName().startsWith(`${process.platform}-${process.arch}`))
})
