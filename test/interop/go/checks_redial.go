package main

import (
	"fmt"
	"time"

	"github.com/osgochina/dmicro/drpc"
)

// redialPause is what lies between two attempts.
const redialPause = 20 * time.Millisecond

// redialChecks are run in place of all others by a client with -redial. The server drops the connection when it is
// pushed to, in the way it is told.
var redialChecks = []check{
	{name: "a connection that is destroyed is dialled anew", run: redialAfter("destroy")},
	{name: "one that is closed gracefully is too", run: redialAfter("close")},
	{name: "and one whose server goes and comes back", run: redialAfter("restart")},
	{name: "an open call fails with 102, and is not made again", run: func(s drpc.Session) error {
		before := s.LocalAddr().String()
		cmd := s.AsyncCall("/hang", 0, nil, make(chan drpc.CallCmd, 1))
		if err := drop(s, "destroy"); err != nil {
			return err
		}
		return firstError(expectEqual("code", await(cmd).stat.Code(), int32(drpc.CodeConnClosed)), answered(s, before))
	}},
	{name: "a handler that runs meanwhile ends first", run: func(s drpc.Session) error {
		before := s.LocalAddr().String()
		if err := drop(s, "busy"); err != nil {
			return err
		}
		if err := answered(s, before); err != nil {
			return err
		}
		select {
		case <-busyDone:
			return nil
		case <-time.After(patience):
			return fmt.Errorf("the handler has not ended within %s", patience)
		}
	}},
	{name: "called back on the new connection", run: func(s drpc.Session) error {
		var doubled int
		r := callWithin(s, "/call/back", 21, &doubled)
		return firstError(expectOK(r), expectEqual("doubled", doubled, 42))
	}},
	{name: "pushed back on the new connection", run: func(s drpc.Session) error {
		before, _ := notes.atLeast(0, patience)
		var n int
		r := callWithin(s, "/push/back", 3, &n)
		if err := firstError(expectOK(r), expectEqual("count", n, 3)); err != nil {
			return err
		}
		all, ok := notes.atLeast(len(before)+3, patience)
		if !ok {
			return fmt.Errorf("only %d of 3 notes came", len(all)-len(before))
		}
		return nil
	}},
	{name: "an id of its own outlives the connection", run: func(s drpc.Session) error {
		s.SetID("mine")
		if err := redialAfter("destroy")(s); err != nil {
			return err
		}
		return expectEqual("id", s.ID(), "mine")
	}},
}

func redialAfter(how string) func(drpc.Session) error {
	return func(s drpc.Session) error {
		before := s.LocalAddr().String()
		return firstError(drop(s, how), answered(s, before))
	}
}

func drop(s drpc.Session, how string) error {
	if stat := s.Push("/drop", how); !stat.OK() {
		return fmt.Errorf("push: %s", stat)
	}
	return nil
}

// answered waits until the session has a connection from another address than before and runs on it, and calls then.
//
// A call that Go makes before it has noticed the loss may be lost, and redialling with it (H5). The checks are about
// redialling as such, so no call is made before the session has its new connection.
func answered(s drpc.Session, before string) error {
	end := time.Now().Add(patience)
	for ; ; time.Sleep(redialPause) {
		if time.Now().After(end) {
			return fmt.Errorf("no new connection within %s after %s", patience, before)
		}
		address := s.LocalAddr().String()
		if address == before || !s.Health() {
			continue
		}
		var sum int
		r := callWithin(s, "/math/add", []int{1, 2}, &sum)
		if r.stat.OK() {
			return expectEqual("sum", sum, 3)
		}
		if r.stat.Code() != drpc.CodeConnClosed { // else the new connection is lost, too
			return fmt.Errorf("no answer after %s: %s", before, r.stat)
		}
		before = address
	}
}
