package main

import (
	"fmt"

	"github.com/osgochina/dmicro/drpc"
)

// pipes are lists of transfer filters, outermost first. Go's own reply repeats that of its call, and so must a peer's: the
// reply is read by it, and any other pipe would still be read, so our vectors show it instead.
// They are for the protocols that have all filters.
var pipes = []string{"z", "5", "a", "z5", "5z", "za", "az", "5a", "zz", "z5az"}

var filterChecks = []check{
	{name: "calls through filters", row: "filters in pairs", not: allFiltersOnly, run: func(s drpc.Session) error {
		for _, ids := range pipes {
			var sum int
			r := callWithin(s, "/math/add", []int{1, 2, 3}, &sum, drpc.WithTFilterPipe([]byte(ids)...))
			if err := firstError(expectOK(r), expectEqual("sum", sum, 6)); err != nil {
				return fmt.Errorf("through %s: %w", ids, err)
			}
		}
		return nil
	}},
	{name: "1 MiB through filters both ways", row: "filters in pairs", not: allFiltersOnly, goFails: except{"json": w1}, run: func(s drpc.Session) error {
		for _, ids := range pipes {
			sent, got := mebibyte(), ""
			r := callWithin(s, "/echo/text", sent, &got, drpc.WithTFilterPipe([]byte(ids)...))
			if err := firstError(expectOK(r), expectEqual("text", got, sent)); err != nil {
				return fmt.Errorf("through %s: %w", ids, err)
			}
		}
		return nil
	}},
	{name: "errors come through filters", row: "filters in pairs", not: allFiltersOnly, run: func(s drpc.Session) error {
		r := callWithin(s, "/no/such/route", nil, nil, drpc.WithTFilterPipe('a', 'z'))
		if err := expectStatus(r, drpc.CodeNotFound, "Not Found"); err != nil {
			return err
		}
		r = callWithin(s, "/status/fail", Failure{1001, "refused", "because"}, nil, drpc.WithTFilterPipe('z', 'a'))
		return expectStatus(r, 1001, "refused")
	}},
	{name: "pushes through filters", row: "filters in pairs", not: allFiltersOnly, run: func(s drpc.Session) error {
		var before, after []string
		if err := expectOK(callWithin(s, "/note/list", 0, &before)); err != nil {
			return err
		}
		for _, ids := range pipes {
			if stat := s.Push("/note", "through "+ids, drpc.WithTFilterPipe([]byte(ids)...)); !stat.OK() {
				return fmt.Errorf("push through %s: %s", ids, stat)
			}
		}
		return expectOK(callWithin(s, "/note/list", len(before)+len(pipes), &after))
	}},
}
