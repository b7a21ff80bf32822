package main

import (
	"time"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/message"
)

// patience bounds every wait; DMicro itself never gives up on a reply.
const patience = 10 * time.Second

// reply is the part of a finished call that the checks look at.
type reply struct {
	stat  *drpc.Status
	codec byte
	meta  map[string]any
}

func (r reply) Status() *drpc.Status { return r.stat }

// callWithin is Call with a deadline: late means a local 408.
func callWithin(sess drpc.CtxSession, method string, arg, result any, settings ...message.MsgSetting) reply {
	return await(sess.AsyncCall(method, arg, result, make(chan drpc.CallCmd, 1), settings...))
}

// await finishes a call started with AsyncCall.
func await(cmd drpc.CallCmd) reply {
	select {
	case <-cmd.Done():
	case <-time.After(patience):
		return reply{stat: drpc.NewStatus(drpc.CodeHandleTimeout, "no reply within "+patience.String())}
	}
	r := reply{stat: cmd.Status(), codec: cmd.InputBodyCodec(), meta: map[string]any{}}
	if meta := cmd.InputMeta(); meta != nil { // nil when no reply came
		meta.Iterator(func(key, value any) bool {
			r.meta[key.(string)] = value
			return true
		})
	}
	return r
}
