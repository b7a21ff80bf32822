package main

import (
	"fmt"

	"github.com/osgochina/dmicro/drpc"
)

var loadChecks = []check{
	{name: "300 calls in flight, each with its own value", row: "300 calls in flight", run: func(s drpc.Session) error {
		const calls = 300
		cmds, sums := make([]drpc.CallCmd, calls), make([]int, calls)
		for i := range cmds {
			cmds[i] = s.AsyncCall("/math/add", []int{i, 1000}, &sums[i], make(chan drpc.CallCmd, 1))
		}
		for i, cmd := range cmds {
			if err := firstError(expectOK(await(cmd)), expectEqual(fmt.Sprintf("sum %d", i), sums[i], i+1000)); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "300 calls in flight, each called back", row: "called back in the same session", run: func(s drpc.Session) error {
		const calls = 300
		cmds, doubled := make([]drpc.CallCmd, calls), make([]int, calls)
		for i := range cmds {
			cmds[i] = s.AsyncCall("/call/back", i, &doubled[i], make(chan drpc.CallCmd, 1))
		}
		for i, cmd := range cmds {
			if err := firstError(expectOK(await(cmd)), expectEqual(fmt.Sprintf("doubled %d", i), doubled[i], 2*i)); err != nil {
				return err
			}
		}
		return nil
	}},
	{name: "a quick call overtakes a waiting one", row: "replies in any order", not: pushOnly, run: func(s drpc.Session) error {
		// The first call cannot end before the push below, so the order needs no clock.
		var before, after []string
		if err := expectOK(callWithin(s, "/note/list", 0, &before)); err != nil {
			return err
		}
		waiting := s.AsyncCall("/note/list", len(before)+1, &after, make(chan drpc.CallCmd, 1))
		var sum int
		r := callWithin(s, "/math/add", []int{2, 2}, &sum)
		if err := firstError(expectOK(r), expectEqual("sum", sum, 4)); err != nil {
			return err
		}
		if stat := s.Push("/note", "go on"); !stat.OK() {
			return fmt.Errorf("push: %s", stat)
		}
		return firstError(expectOK(await(waiting)), expectEqual("notes", len(after), len(before)+1))
	}},
	{name: "a quick call overtakes a sleeping one", row: "replies in any order", run: func(s drpc.Session) error {
		// For the protocols without pushes: the margin is wide, the order still up to the clock.
		var ms, sum int
		waiting := s.AsyncCall("/slow", 300, &ms, make(chan drpc.CallCmd, 1))
		r := callWithin(s, "/math/add", []int{2, 2}, &sum)
		if err := firstError(expectOK(r), expectEqual("sum", sum, 4)); err != nil {
			return err
		}
		select {
		case <-waiting.Done():
			return fmt.Errorf("the sleeping call ended first")
		default:
			return expectOK(await(waiting))
		}
	}},
	{name: "a handler that sleeps", row: "replies in any order", run: func(s drpc.Session) error {
		var ms int
		r := callWithin(s, "/slow", 20, &ms)
		return firstError(expectOK(r), expectEqual("ms", ms, 20))
	}},
	{name: "200 calls one after another", row: "300 calls in flight", run: func(s drpc.Session) error {
		for i := 0; i < 200; i++ {
			var sum int
			r := callWithin(s, "/math/add", []int{i, i}, &sum)
			if err := firstError(expectOK(r), expectEqual("sum", sum, 2*i)); err != nil {
				return err
			}
		}
		return nil
	}},
}
