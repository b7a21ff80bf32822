package main

import (
	"fmt"
	"slices"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
)

var peerChecks = []check{
	{name: "push, then read back", row: "PUSH", not: pushOnly, goFails: except{"json": w1}, run: func(s drpc.Session) error {
		var before []string
		r := callWithin(s, "/note/list", 0, &before)
		if err := expectOK(r); err != nil {
			return err
		}
		sent := []string{"first " + awkward, "second", "third"}
		for _, text := range sent {
			if stat := s.Push("/note", text); !stat.OK() {
				return fmt.Errorf("push: %s", stat)
			}
		}
		var all []string
		r = callWithin(s, "/note/list", len(before)+len(sent), &all)
		if err := expectOK(r); err != nil {
			return err
		}
		return sameNotes(all[len(before):], sent) // no promise on order between requests
	}},
	{name: "push of plain words", row: "PUSH", not: pushOnly, run: func(s drpc.Session) error {
		var before, all []string
		r := callWithin(s, "/note/list", 0, &before)
		if err := expectOK(r); err != nil {
			return err
		}
		if stat := s.Push("/note", tame); !stat.OK() {
			return fmt.Errorf("push: %s", stat)
		}
		r = callWithin(s, "/note/list", len(before)+1, &all)
		return firstError(expectOK(r), sameNotes(all[len(before):], []string{tame}))
	}},
	{name: "push with the plain codec", row: "PUSH", not: pushOnly, goFails: except{"json": w1}, run: func(s drpc.Session) error {
		var before, all []string
		r := callWithin(s, "/note/list", 0, &before)
		if err := expectOK(r); err != nil {
			return err
		}
		if stat := s.Push("/note", awkward, drpc.WithBodyCodec(codec.PlainName)); !stat.OK() {
			return fmt.Errorf("push: %s", stat)
		}
		r = callWithin(s, "/note/list", len(before)+1, &all)
		return firstError(expectOK(r), sameNotes(all[len(before):], []string{awkward}))
	}},
	{name: "a push to an unknown route leaves the session alive", row: "PUSH", not: pushOnly, run: func(s drpc.Session) error {
		if stat := s.Push("/no/such/route", "x"); !stat.OK() {
			return fmt.Errorf("push: %s", stat)
		}
		var sum int
		r := callWithin(s, "/math/add", []int{1, 1}, &sum)
		return firstError(expectOK(r), expectEqual("sum", sum, 2))
	}},
	{name: "called back", row: "called back in the same session", run: func(s drpc.Session) error {
		var doubled int
		r := callWithin(s, "/call/back", 21, &doubled)
		return firstError(expectOK(r), expectEqual("doubled", doubled, 42))
	}},
	{name: "pushed back", row: "PUSH", not: pushOnly, run: func(s drpc.Session) error {
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
		return sameNotes(all[len(before):], []string{"note 1", "note 2", "note 3"})
	}},
}

func sameNotes(got, want []string) error {
	got, want = slices.Clone(got), slices.Clone(want)
	slices.Sort(got)
	slices.Sort(want)
	return expectEqual("notes", got, want)
}
