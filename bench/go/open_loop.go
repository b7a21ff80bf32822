package main

import (
	"sync"
	"time"
)

// openLoop calls o.rate times a second, whatever the server does, and counts latency from the time a call was due:
// a stalled server is charged with every call it delays, not with the few that were in flight. Latencies are those of
// the calls due within the window; one that no caller was free to send by its end enters with the time it had waited
// by then, less than the truth. The calls counted are those answered within the window, whenever they were due.
func openLoop(o clientOptions, calls []func() error, results *results, m *meter) {
	// Room for all: the pacer never waits for callers.
	pacer := newPacer(o.rate, int(o.rate*(o.warmup+o.seconds))+1)
	begin := pacer.start.Add(seconds(o.warmup))
	end := begin.Add(seconds(o.seconds))
	settle := func(due, answered time.Time) {
		if !due.Before(begin) {
			results.latencies.record(answered.Sub(due))
		}
		if !answered.Before(begin) && answered.Before(end) {
			results.answered.Add(1)
		}
	}
	var callers sync.WaitGroup
	for _, call := range calls {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for due := range pacer.due {
				if time.Now().Before(end) {
					must(call())
					settle(due, time.Now())
				} else {
					settle(due, end)
					results.unsent.Add(1)
				}
			}
		}()
	}
	pacer.runUntil(begin)
	m.begin()
	pacer.runUntil(end)
	m.end()
	close(pacer.due)
	callers.Wait()
}
