import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAnnouncement, encodeAnnouncement, readTimeout } from '../../../src/message/announcement.ts'

test('an announcement is written with what it has to say and read back', () => {
  for (const [announcement, text] of [
    [{ announcementSeq: 1, timeout: 0, filters: [] }, '1;hop=1'],
    [{ announcementSeq: 0x7fff_ffff, timeout: 5000, filters: [] }, '1;hop=zik0zj;timeout=5000'],
    [{ announcementSeq: 36, timeout: 0, filters: ['aes', 'gzip'] }, '1;hop=10;filters=aes+gzip'],
    [{ announcementSeq: 36, timeout: 1, filters: ['a+b;c=d', 'é'] }, '1;hop=10;timeout=1;filters=a%2Bb%3Bc%3Dd+%C3%A9'],
  ] as const) {
    assert.equal(encodeAnnouncement(announcement), text)
    assert.deepEqual(decodeAnnouncement(text), announcement)
  }
  assert.equal(encodeAnnouncement({ announcementSeq: 1, timeout: 0.5, filters: [] }), '1;hop=1;timeout=1', 'part of a millisecond is one')
})

test('fields come in any order, and unknown ones are for later versions', () => {
  assert.deepEqual(decodeAnnouncement('1;streams;timeout=7;x=y=z;hop=a'), { announcementSeq: 10, timeout: 7, filters: [] })
})

test('what is no announcement of a known version is none', () => {
  const long = `1;hop=1;x=${'y'.repeat(1024)}`
  for (const text of [undefined, null, 1, {}, [], '', '1', '2;hop=1', ' 1;hop=1', '1;hop=', '1;hop=-', '1;hop=1;timeout=', long])
    assert.equal(decodeAnnouncement(text), undefined, String(text).slice(0, 30))
  for (const text of ['1;hop=1;timeout=-1', '1;hop=1;timeout=1e3', '1;hop=1;filters=%', '1;hop=1;filters=%ff'])
    assert.equal(decodeAnnouncement(text), undefined, text)
})

test('names in it are never looked up in a prototype', () => {
  assert.deepEqual(decodeAnnouncement('1;hop=1;__proto__=x;constructor=y;filters=__proto__'), {
    announcementSeq: 1,
    timeout: 0,
    filters: ['__proto__'],
  })
})

test('a time is whole milliseconds of at most ten digits, and none is longer than a timer can wait', () => {
  assert.equal(readTimeout('0'), 0)
  assert.equal(readTimeout('007'), 7)
  assert.equal(readTimeout('9999999999'), 2 ** 31 - 1)
  for (const text of ['', '-1', '+1', '1.5', '1e3', '0x1', ' 1', '1\n', '12345678901', '١'])
    assert.equal(readTimeout(text), undefined, text)
})
