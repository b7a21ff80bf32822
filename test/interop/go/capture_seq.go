package main

import (
	"fmt"
	"math"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/plugin/heartbeat"
)

// seqOverride gives the next message another seq just before it is written, because nobody
// wants to wait for the counter to get to 2147483647.
type seqOverride struct {
	armed bool
	seq   int32
}

func (*seqOverride) Name() string { return "seq-override" }

func (o *seqOverride) BeforeWriteCall(ctx drpc.WriteCtx) *drpc.Status { return o.BeforeWritePush(ctx) }

func (o *seqOverride) BeforeWritePush(ctx drpc.WriteCtx) *drpc.Status {
	if o.armed {
		o.armed = false
		ctx.Output().SetSeq(o.seq)
	}
	return nil
}

func captureSeqs(rec *recorder) {
	if rec.proto.is("raw") {
		captureCounter(rec)
	}
	for name, seq := range sorted(map[string]int32{"max": math.MaxInt32, "minus-1": -1, "min": math.MinInt32}) {
		extreme := newLine(rec) // the client cannot match these replies, so the line ends here
		if rec.proto.push {
			extreme.seq.armed, extreme.seq.seq = true, seq
			extreme.push("push-seq-"+name, "/note", "x")
		}
		extreme.seq.armed, extreme.seq.seq = true, seq
		extreme.call("call-seq-"+name, "reply-seq-"+name, "/math/add", []int{1})
	}
}

// captureCounter is for raw alone, which writes its seqs in base 36.
func captureCounter(rec *recorder) {
	counted := newLine(rec, heartbeat.NewPong())
	pushesUpTo := func(seq int) {
		counted.push(fmt.Sprintf("push-seq-%d", seq), "/note", "x")
	}
	skip := func(n int) {
		for i := 0; i < n; i++ {
			counted.push("", "/note", "x")
		}
	}
	// These seqs come from the session's own counter: one digit, two, three in base 36.
	pushesUpTo(1)
	skip(33)
	pushesUpTo(35)
	counted.call("call-heartbeat-seq-36-md5", "reply-heartbeat-seq-36-md5", "/heartbeat", nil,
		drpc.WithSetMeta("hb_", "3"), drpc.WithTFilterPipe('5'))
	skip(1258)
	pushesUpTo(1295)
	pushesUpTo(1296)
}
