import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { diedOfOwnFault, orOnceMore } from '../../interop/go-faults.ts'

const drpc = 'github.com/osgochina/dmicro/drpc'
const source = '/root/go/pkg/mod/github.com/osgochina/dmicro@v1.3.1/drpc'
const handle = `${drpc}.(*handlerCtx).handle.func1()\n\t${source}/context.go:592 +0x1a
created by ${drpc}.(*handlerCtx).handle in goroutine 36\n\t${source}/context.go:591 +0x2b1\n`

// The form in which Go reports them.
const noSession = `2026-11-23T02:37:57.799Z [WARN] disconnected
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0xbe7f89]

goroutine 37 [running]:
${drpc}.(*session).Close(0x0)\n\t${source}/session.go:398 +0x29
${handle}`
const reused = `panic: sync: WaitGroup is reused before previous Wait has returned

goroutine 266 [running]:
sync.(*WaitGroup).Wait(0x2f1efec55278)\n\t/usr/local/go/src/sync/waitgroup.go:213 +0xf4
${drpc}.(*session).closeLocked(0x8775f9?)\n\t${source}/session.go:810 +0xe5
${drpc}.(*session).Close(0x2f1efec55200)\n\t${source}/session.go:400 +0x6a
${handle}`

const others = {
  'a run without a panic': 'no end after 30s\n',
  'a nil of another kind': noSession.replace('(*session).Close(0x0)', '(*session).Close(0x2f1efec55200)'),
  'a wait group elsewhere': reused.replace('(*session).closeLocked', '(*session).graceCtxWait'),
  'another panic': noSession.replace('invalid memory address or nil pointer dereference', 'index out of range [7] with length 7'),
  'a goroutine somebody else began': noSession.replace(
    'created by github.com/osgochina/dmicro/drpc.(*handlerCtx).handle',
    'created by main.runClient',
  ),
  'the same words in another goroutine': `panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\nrest\n\n${noSession.slice(noSession.indexOf('goroutine 37'))}`,
}

describe("faults of Go's own", () => {
  it('recognises both panics of a Go client that closes a refused session', () => {
    assert.equal(diedOfOwnFault(noSession), true)
    assert.equal(diedOfOwnFault(reused), true)
  })

  for (const [name, stderr] of Object.entries(others)) {
    it(`takes for no fault of Go: ${name}`, () => assert.equal(diedOfOwnFault(stderr), false))
  }

  it('checks once more after one, and not a third time', async () => {
    let runs = 0
    const failing = (times: number, stderr: string) => async () => {
      if (runs++ < times) throw new Error(`the Go client ended with 2:\n{}\n${stderr}`)
      return runs
    }
    assert.equal(await orOnceMore(failing(1, noSession)), 2)
    runs = 0
    await assert.rejects(orOnceMore(failing(2, noSession)), /nil pointer/)
    assert.equal(runs, 2)
    runs = 0
    await assert.rejects(orOnceMore(failing(1, others['another panic'])), /index out of range/)
    assert.equal(runs, 1)
  })
})
