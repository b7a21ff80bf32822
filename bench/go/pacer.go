package main

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// shortest bounds how often the pacer wakes up; at more than 50,000 calls a second some are late by as much.
const shortest = 20 * time.Microsecond

// pacer hands out the times at which calls are due, each when it comes. It sleeps in the kernel, on a thread of its
// own: Go's timers are late by up to a millisecond in a process that is otherwise idle.
type pacer struct {
	start    time.Time
	interval float64 // ns
	next     int
	due      chan time.Time
}

func newPacer(rate float64, room int) *pacer {
	return &pacer{start: time.Now(), interval: 1e9 / rate, due: make(chan time.Time, room)}
}

func (p *pacer) runUntil(end time.Time) {
	// A processor for this thread alone: Go takes it from a thread that sleeps in the kernel only after a while, in
	// which no caller would run where there is one core.
	callers := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(callers + 1)
	defer runtime.GOMAXPROCS(callers)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// The kernel adds 50 µs to a sleep unless told otherwise.
	must(unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0))
	for {
		at := p.start.Add(time.Duration(float64(p.next) * p.interval))
		if !at.Before(end) {
			sleepUntil(end)
			return
		}
		if rest := time.Until(at); rest > 0 {
			sleepUntil(time.Now().Add(max(rest, shortest)))
		}
		p.due <- at
		p.next++
	}
}

func sleepUntil(at time.Time) {
	for rest := time.Until(at); rest > 0; rest = time.Until(at) {
		sleep := unix.NsecToTimespec(rest.Nanoseconds())
		_ = unix.Nanosleep(&sleep, nil) // an interrupted sleep goes on
	}
}
