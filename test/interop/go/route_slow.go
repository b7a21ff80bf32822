package main

import (
	"time"

	"github.com/osgochina/dmicro/drpc"
)

// Slow sleeps for ms milliseconds and returns ms; a function needs no controller to be a route.
func Slow(_ drpc.CallCtx, ms *int) (int, *drpc.Status) {
	time.Sleep(time.Duration(*ms) * time.Millisecond)
	return *ms, nil
}
