import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { constants } from 'node:os'
import { test } from 'node:test'
import { ipVersion } from '../../../src/transports/ip.ts'
import { NOT_OPEN, NOT_SUPPORTED } from '../../../src/transports/transport.ts'

test('an IP address is what it is to node:net', () => {
  const parts = ['0', '9', '10', '99', '100', '255', '256', '999', '00', '01', '007', '1000', '', 'a', '1e1', '-1', ' 1']
  const hosts = parts.flatMap((part) => [`${part}.0.0.1`, `10.${part}.0.1`, `127.0.0.${part}`])
  hosts.push(
    '127.0.0.1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.4 ',
    '1.2.3.4\n',
    '',
    'localhost',
    '::',
    '::1',
    '::ffff:1.2.3.4',
    'fe80::1%eth0',
    '[::1]',
  )
  for (const host of hosts) assert.equal(ipVersion(host), isIP(host), JSON.stringify(host))
})

test('the errors of socket options have the numbers of the system', { skip: process.platform === 'win32' }, () => {
  assert.deepEqual([NOT_OPEN, NOT_SUPPORTED], [-constants.errno.EBADF, -constants.errno.ENOTSUP])
})
