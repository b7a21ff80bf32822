package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// processCPU is user and system time of all threads, ended ones too, by the process's CPU clock: nanoseconds, where
// /proc/PID/stat counts ticks of 10 ms.
func processCPU(pid int) time.Duration {
	const schedClock = 2                         // CPUCLOCK_SCHED
	return cpuClock(int32(^pid<<3 | schedClock)) // the kernel's MAKE_PROCESS_CPUCLOCK
}

func cpuClock(clock int32) time.Duration {
	var spec unix.Timespec
	if err := unix.ClockGettime(clock, &spec); err != nil {
		fail("cannot measure a server's CPU: %v", err)
	}
	return time.Duration(spec.Nano())
}

// systemCPU is the part spent in the kernel.
func systemCPU(pid int) time.Duration {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux there is
	stat := read(fmt.Sprintf("/proc/%d/stat", pid))
	// The name before it may contain anything; stime is the 13th field after its closing bracket.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	ticks, err := strconv.ParseInt(fields[12], 10, 64)
	must(err)
	return time.Duration(ticks) * tick
}

type thread struct {
	name string
	cpu  time.Duration
}

// readThreads adds what each thread of a process has used so far.
func readThreads(pid int, threads map[int]thread) {
	folders, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	for _, folder := range folders {
		id, _ := strconv.Atoi(filepath.Base(folder))
		name, err := os.ReadFile(folder + "/comm")
		times, err2 := os.ReadFile(folder + "/schedstat")
		if err != nil || err2 != nil {
			continue // it has ended since
		}
		ns, _, _ := strings.Cut(string(times), " ")
		cpu, _ := strconv.ParseInt(ns, 10, 64)
		threads[id] = thread{strings.TrimSpace(string(name)), time.Duration(cpu)}
	}
}

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		fail("cannot measure a server's CPU: %v", err)
	}
	return string(text)
}
