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
		cmd := s.AsyncCall("/hang", 0, nil, make(chan drpc.CallCmd, 1))
		if err := drop(s, "destroy"); err != nil {
			return err
		}
		return firstError(expectEqual("code", await(cmd).stat.Code(), int32(drpc.CodeConnClosed)), answered(s, ""))
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

// answered calls until there is an answer on a connection from another address than before. A call made just when the
// connection is lost fails in Go, and so may one just after (H5 of our list of quirks).
func answered(s drpc.Session, before string) error {
	for end := time.Now().Add(patience); ; time.Sleep(redialPause) {
		var sum int
		r := callWithin(s, "/math/add", []int{1, 2}, &sum)
		if r.stat.OK() && s.LocalAddr().String() != before {
			return expectEqual("sum", sum, 3)
		}
		if time.Now().After(end) {
			return fmt.Errorf("no answer within %s after %s: %s", patience, before, r.stat)
		}
	}
}
