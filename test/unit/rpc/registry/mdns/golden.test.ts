import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import dnsPacket from 'dns-packet'
import { DomainNames } from '../../../../../src/rpc/registry/mdns/names.ts'
import { type Instance, PacketWriter } from '../../../../../src/rpc/registry/mdns/packets.ts'
import { readPacket } from '../../../../../src/rpc/registry/mdns/read-packet.ts'
import { decodeTxt, encodeTxt } from '../../../../../src/rpc/registry/mdns/txt.ts'

interface Golden {
  service: string
  version: string
  txtJson: string
  packets: { name: string; hex: string }[]
}

const vectors = JSON.parse(readFileSync(new URL('../../../../vectors/mdns.json', import.meta.url), 'utf8')) as {
  loopbackNode: Golden
  wildcardNode: Golden
}
const { loopbackNode, wildcardNode } = vectors
const names = new DomainNames('dmicro')
const writer = new PacketWriter(names, 'host1')

function golden(of: Golden, name: string): Buffer {
  return Buffer.from(of.packets.find((packet) => packet.name === name)?.hex ?? '', 'hex')
}

/** The strings of the TXT record in a packet of Go. */
function txtOf(packet: Buffer): string[] {
  const { answers = [] } = dnsPacket.decode(packet)
  return answers.flatMap((answer) => (answer.type === 'TXT' ? [answer.data].flat().map(String) : []))
}

const node: Instance = {
  service: 'testregistry',
  id: 'testregistry-127.0.0.1:9091',
  ip: '127.0.0.1',
  port: 9091,
  txt: txtOf(golden(loopbackNode, 'announcement')),
}

test('questions are those of Go, byte for byte', () => {
  assert.equal(writer.query(0x8040, 'testregistry.dmicro').toString('hex'), golden(loopbackNode, 'query').toString('hex'))
  assert.equal(writer.query(0xa71d, names.list).toString('hex'), golden(loopbackNode, 'list query').toString('hex'))
  assert.equal(
    writer.query(0x1a2b, 'testregistry.dmicro').toString('hex'),
    '1a2b000000010000000000000c74657374726567697374727906646d6963726f00000c0001',
  )
})

test('probes, announcements and goodbyes are those of Go, byte for byte', () => {
  assert.equal(writer.probe(0xc89e, node).toString('hex'), golden(loopbackNode, 'probe').toString('hex'))
  assert.equal(writer.announcement(node).toString('hex'), golden(loopbackNode, 'announcement').toString('hex'))
  assert.equal(writer.goodbye(node).toString('hex'), golden(loopbackNode, 'goodbye').toString('hex'))
  const packet = golden(wildcardNode, 'announcement')
  const wildcard: Instance = { service: 's0', id: 's0-[::]:9095', ip: '::', port: 9095, txt: txtOf(packet) }
  assert.equal(writer.announcement(wildcard).toString('hex'), packet.toString('hex'))
})

test('replies say what those of Go say, in its order, without its compression', () => {
  const ours = writer.reply(
    0,
    [{ name: 'testregistry.dmicro', type: 'PTR', class: 'IN' }],
    (({ srv, address, txt }) => [writer.pointer('testregistry.dmicro', names.instance(node.id, node.service)), srv, address, txt])(
      writer.instanceRecords(node),
    ),
  )
  assert.deepEqual(readPacket(ours), readPacket(golden(loopbackNode, 'reply')))
  assert.equal(ours.subarray(0, 12).toString('hex'), '000084000001000400000000')
  const { srv, address, txt } = writer.listRecords('testregistry')
  const list = writer.reply(
    0,
    [{ name: names.list, type: 'PTR', class: 'IN' }],
    [writer.pointer(names.list, `testregistry.${names.list}`), srv, address, txt],
  )
  assert.deepEqual(readPacket(list), readPacket(golden(loopbackNode, 'list reply')))
})

test('payloads of Go are read, and ours unpack to the same JSON', () => {
  for (const each of [loopbackNode, wildcardNode]) {
    const hex = txtOf(golden(each, 'announcement')).join('')
    const { Service: service, Version: version, Metadata: metadata } = JSON.parse(each.txtJson)
    assert.deepEqual(decodeTxt(hex), { service, version, metadata })
    assert.deepEqual(decodeTxt(encodeTxt({ service, version, metadata }).join('')), { service, version, metadata })
  }
  const other =
    '789cab560a4e2d2acb4c4e55b2522a492d2e294a4dcf0492954a3a4a61a945c599f9794009433d033d03a0886f6a49624a6249a29255b5125ca195526e4a5e3150b61868506a11ba39b5b50081b421f4'
  assert.equal(decodeTxt(other)?.version, '1.0.0')
})

test('a payload over 255 characters is cut into strings in order', () => {
  const metadata = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`key${index}`, `${(index * 7_919) ** 3}`]))
  const strings = encodeTxt({ service: 'math', version: '1', metadata })
  assert.ok(strings.length > 2)
  assert.ok(strings.slice(0, -1).every((text) => text.length === 255))
  assert.deepEqual(decodeTxt(strings.join(''))?.metadata, metadata)
})
