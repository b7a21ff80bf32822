import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { realClock } from '../../../../src/base/time/clock.ts'
import { LogFile, MAX_WAITING, type Rotation } from '../../../../src/dserver/supervisor/log/log-file.ts'
import { LogFiles } from '../../../../src/dserver/supervisor/log/log-files.ts'
import { ProcessLog } from '../../../../src/dserver/supervisor/log/process-log.ts'
import { readLog, readTail } from '../../../../src/dserver/supervisor/log/read-log.ts'
import { TimestampedLines } from '../../../../src/dserver/supervisor/log/timestamps.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'dmicro-log-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

function logFile(
  t: TestContext,
  path: string,
  rotation: Partial<Rotation> = {},
  onError: (error: Error) => void = assert.ifError,
): LogFile {
  const file = new LogFile(path, { maxBytes: 0, backups: 3, rotateEvery: 0, ...rotation }, realClock, onError, () => {})
  t.after(() => file.close())
  return file
}

test('a file is rotated between two lines, in numbered backups, and never grows beyond its size', async (t) => {
  const path = join(folder(t), 'x.log')
  const file = logFile(t, path, { maxBytes: 100, backups: 2 })
  for (let i = 0; i < 40; i++) file.write(Buffer.from(`line ${`${i}`.padStart(4, '0')}\n`))
  await file.idle()
  const all = [`${path}.2`, `${path}.1`, path].map((each) => readFileSync(each, 'utf8'))
  for (const text of all) {
    assert.ok(text.length <= 100, `${text.length} bytes`)
    assert.match(text, /^(line \d{4}\n)*$/)
  }
  assert.deepEqual(readdirSync(join(path, '..')).sort(), ['x.log', 'x.log.1', 'x.log.2'])
  assert.ok(all.join('').endsWith('line 0039\n'))
  assert.match(all.join(''), /^line 0010\n/)
})

test('nothing is lost or mixed up when lines and writes are of any size', async (t) => {
  const path = join(folder(t), 'x.log')
  const file = logFile(t, path, { maxBytes: 1_000, backups: 10_000 })
  let sent = ''
  for (let i = 0; i < 500; i++) {
    const text = `${i} ${'x'.repeat((i * 37) % 700)}${i % 3 === 0 ? '' : '\n'}`
    sent += text
    file.write(Buffer.from(text))
    if (i % 50 === 0) await file.idle()
  }
  await file.idle()
  const backups = readdirSync(join(path, '..')).length - 1
  const names = [...Array.from({ length: backups }, (_, i) => `${path}.${backups - i}`), path]
  assert.equal(names.map((name) => readFileSync(name, 'utf8')).join(''), sent)
  for (const name of names) assert.ok(readFileSync(name).length <= 1_000, name)
})

test('output without line ends is cut at the size', async (t) => {
  const path = join(folder(t), 'x.log')
  const file = logFile(t, path, { maxBytes: 1_000, backups: 3 })
  file.write(Buffer.alloc(2_500, 'x'))
  await file.idle()
  assert.deepEqual(
    [`${path}.2`, `${path}.1`, path].map((each) => readFileSync(each).length),
    [1_000, 1_000, 500],
  )
})

test('a file of an earlier period is rotated with the first output of the next', async (t) => {
  const path = join(folder(t), 'x.log')
  writeFileSync(path, 'yesterday\n')
  utimesSync(path, new Date(), new Date(Date.now() - 2 * 86_400_000))
  const file = logFile(t, path, { rotateEvery: 86_400_000 })
  file.write(Buffer.from('today\n'))
  await file.idle()
  assert.equal(readFileSync(`${path}.1`, 'utf8'), 'yesterday\n')
  assert.equal(readFileSync(path, 'utf8'), 'today\n')
})

test('a file that others rename is opened anew on reopen; one that they truncate is appended to', async (t) => {
  const path = join(folder(t), 'x.log')
  const file = logFile(t, path)
  file.write(Buffer.from('one\n'))
  await file.idle()
  renameSync(path, `${path}.old`)
  file.reopen()
  file.write(Buffer.from('two\n'))
  await file.idle()
  assert.equal(readFileSync(path, 'utf8'), 'two\n')
  writeFileSync(path, '')
  file.write(Buffer.from('three\n'))
  await file.idle()
  assert.equal(readFileSync(path, 'utf8'), 'three\n')
})

test('a folder that is not there: one error, output waits up to a limit, the loss is noted when it is', async (t) => {
  const path = join(folder(t), 'later', 'x.log')
  let failed!: () => void
  const failure = new Promise<void>((resolve) => {
    failed = resolve
  })
  const errors: Error[] = []
  const file = logFile(t, path, {}, (error) => {
    errors.push(error)
    failed()
  })
  file.write(Buffer.from('first\n'))
  await failure
  file.write(Buffer.alloc(MAX_WAITING - 100, 'x'))
  file.write(Buffer.alloc(5_000, 'y'))
  assert.equal(file.pressure, 0)
  assert.equal(file.dropped, 5_000)
  mkdirSync(join(path, '..'))
  await file.close()
  const text = readFileSync(path, 'utf8')
  assert.ok(text.startsWith('first\nxxx'))
  assert.match(text, /5000 bytes of output were lost/)
  assert.equal(errors.length, 1)
})

test('a folder is no file, and close does not wait for ever', async (t) => {
  const errors: Error[] = []
  const file = logFile(t, folder(t), {}, (error) => errors.push(error))
  file.write(Buffer.from('x'))
  await file.close()
  assert.equal(errors.length, 1)
})

test('clear empties the file, clearAll removes the backups too', async (t) => {
  const path = join(folder(t), 'x.log')
  const file = logFile(t, path, { maxBytes: 4 })
  file.write(Buffer.from('one\ntwo\nthree\n'))
  await file.idle()
  await file.clear()
  assert.equal(readFileSync(path, 'utf8'), '')
  await file.clearAll()
  assert.deepEqual(readdirSync(join(path, '..')), ['x.log'])
})

test('reads of a log have Go\u2019s ranges and codes', async (t) => {
  const path = join(folder(t), 'x.log')
  writeFileSync(path, '0123456789')
  assert.equal(await readLog(path, -4, 0), '6789')
  assert.equal(await readLog(path, -40, 0), '0123456789')
  assert.equal(await readLog(path, 3, 0), '3456789')
  assert.equal(await readLog(path, 3, 4), '3456')
  assert.equal(await readLog(path, 8, 40), '89')
  assert.equal(await readLog(path, 80, 4), '')
  await assert.rejects(readLog(path, -4, 2), { code: 'BAD_ARGUMENTS' })
  await assert.rejects(readLog(path, 0, -1), { code: 'BAD_ARGUMENTS' })
  await assert.rejects(readLog(`${path}.no`, 0, 0), { code: 'NO_FILE' })
  await assert.rejects(readLog(join(path, '..'), 0, 0), { code: 'FAILED' })
  assert.deepEqual(await readTail(path, 4, 100), { text: '456789', offset: 10, overflow: false })
  assert.deepEqual(await readTail(path, 0, 3), { text: '789', offset: 10, overflow: true })
  assert.deepEqual(await readTail(path, 11, 3), { text: '', offset: 10, overflow: true })
})

test('timestamps stand at the beginning of lines, not of writes', () => {
  const lines = new TimestampedLines()
  const stamp = '1970-01-01T00:00:00.000Z '
  const text = ['a', 'b\nc\n', '\n', 'd'].map((each) => lines.stamp(Buffer.from(each), 0)).join('')
  assert.equal(text, `${stamp}ab\n${stamp}c\n${stamp}\n${stamp}d`)
})

test('several targets get the same, two logs share a file, and a follower begins with what came before', async (t) => {
  const path = join(folder(t), '{name}.log')
  const files = new LogFiles(realClock, (_, error) => assert.ifError(error))
  const heard: string[] = []
  const settings = { targets: [path, (chunk: Buffer) => void heard.push(`${chunk}`)], maxBytes: 0, backups: 0, rotateEvery: 0, timestamps: false } // biome-ignore format: one line
  const logs = [0, 1].map((i) => new ProcessLog('x/y', i, settings, realClock, files, (_, error) => assert.ifError(error)))
  for (const log of logs) log.write(Buffer.from('one\n'))
  const end = new AbortController()
  const followed: string[] = []
  const following = (async () => {
    for await (const chunk of logs[0].follow({ tail: 100, signal: end.signal })) {
      followed.push(`${chunk}`)
      if (followed.length === 2) end.abort()
    }
  })()
  await Promise.resolve()
  logs[0].write(Buffer.from('two\n'))
  await following
  await logs[0].idle()
  assert.deepEqual(followed, ['one\n', 'two\n'])
  assert.deepEqual(heard, ['one\n', 'one\n', 'two\n'])
  assert.equal(logs[0].path, logs[1].path)
  assert.equal(await logs[1].read(0, 0), 'one\none\ntwo\n')
  await Promise.all(logs.map((log) => log.close()))
})
