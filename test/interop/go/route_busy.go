package main

import (
	"time"

	"github.com/osgochina/dmicro/drpc"
)

// busyDone is told of every Busy that has ended.
var busyDone = make(chan struct{}, 1)

// Busy lets the server drop the connection, and goes on for so many milliseconds: readDisconnected waits for it before
// it dials anew, and a call of that time dials beside it (`answered`).
func Busy(ctx drpc.PushCtx, ms *int) *drpc.Status {
	stat := ctx.Session().Push("/drop", "destroy")
	time.Sleep(time.Duration(*ms) * time.Millisecond)
	busyDone <- struct{}{}
	return stat
}
