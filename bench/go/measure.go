package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// dialer makes one connection; newCaller gives one of the callers on it the function that makes a call and checks
// its reply. A caller has one call in flight.
type (
	dialer    func() (newCaller, error)
	newCaller func(caller int) func() error
)

// measure drives the server through warm-up and window, then prints the result.
func measure(o clientOptions, dialWith func(clientOptions) dialer) {
	calls := connect(o, dialWith(o))
	m := newMeter(o.serverPIDs)
	results := new(results)
	if o.rate == 0 {
		closedLoop(o, calls, results, m)
	} else {
		openLoop(o, calls, results, m)
	}
	m.print(results)
}

// results are those of the window.
type results struct {
	latencies histogram
	answered  atomic.Uint64
	unsent    atomic.Uint64 // due, but not sent when it ended: open loop only
}

// connect returns one call function per call that may be in flight.
func connect(o clientOptions, dial dialer) []func() error {
	calls := make([]func() error, 0, o.connections*o.inFlight)
	for range o.connections {
		newCaller, err := dial()
		if err != nil {
			fail("%v", err)
		}
		for range o.inFlight {
			calls = append(calls, newCaller(len(calls)))
		}
	}
	return calls
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

// closedLoop: every caller calls again as soon as it has its reply. Counted is what comes back within the window.
func closedLoop(o clientOptions, calls []func() error, results *results, m *meter) {
	var measuring, ended atomic.Bool
	var callers sync.WaitGroup
	for _, call := range calls {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for !ended.Load() {
				began := time.Now()
				must(call())
				if measuring.Load() {
					results.latencies.record(time.Since(began))
					results.answered.Add(1)
				}
			}
		}()
	}
	time.Sleep(seconds(o.warmup))
	m.begin()
	measuring.Store(true)
	time.Sleep(seconds(o.seconds))
	measuring.Store(false)
	m.end()
	ended.Store(true)
	callers.Wait()
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
