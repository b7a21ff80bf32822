package main

import (
	"encoding/json"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// meter reads clocks and CPU counters at both ends of the window.
type meter struct {
	serverPIDs []int
	first      reading
	last       reading
}

type reading struct {
	at      time.Time
	own     time.Duration
	server  time.Duration
	system  time.Duration
	threads map[int]thread
}

func newMeter(serverPIDs []int) *meter { return &meter{serverPIDs: serverPIDs} }

func (m *meter) begin() { m.first = m.read() }
func (m *meter) end()   { m.last = m.read() }

func (m *meter) read() reading {
	r := reading{at: time.Now(), own: cpuClock(unix.CLOCK_PROCESS_CPUTIME_ID), threads: map[int]thread{}}
	for _, pid := range m.serverPIDs {
		r.server += processCPU(pid)
		r.system += systemCPU(pid)
		readThreads(pid, r.threads)
	}
	return r
}

// result is the line of bench/README.md.
type result struct {
	Calls          uint64             `json:"calls"`
	Seconds        float64            `json:"seconds"`
	CallsPerSecond float64            `json:"calls_per_second"`
	ServerCPU      *float64           `json:"server_cpu_us_per_call"`
	ServerSystem   *float64           `json:"server_system_us_per_call"`
	ServerThreads  map[string]float64 `json:"server_threads"`
	ClientCPU      float64            `json:"client_cpu_us_per_call"`
	P50            float64            `json:"p50_us"`
	P99            float64            `json:"p99_us"`
	P999           float64            `json:"p999_us"`
	Max            float64            `json:"max_us"`
	Unsent         uint64             `json:"unsent"`
}

func (m *meter) print(results *results) {
	calls := results.answered.Load()
	latencies := &results.latencies
	if calls == 0 {
		fail("the server answered no call in the measured window")
	}
	perCall := func(cpu time.Duration) float64 { return float64(cpu.Nanoseconds()) / 1e3 / float64(calls) }
	elapsed := m.last.at.Sub(m.first.at).Seconds()
	r := result{
		Calls: calls, Seconds: elapsed, CallsPerSecond: float64(calls) / elapsed,
		ServerThreads: map[string]float64{},
		ClientCPU:     perCall(m.last.own - m.first.own),
		P50:           latencies.percentile(0.5), P99: latencies.percentile(0.99), P999: latencies.percentile(0.999),
		Max: latencies.max(), Unsent: results.unsent.Load(),
	}
	if len(m.serverPIDs) > 0 {
		cpu, system := perCall(m.last.server-m.first.server), perCall(m.last.system-m.first.system)
		r.ServerCPU, r.ServerSystem = &cpu, &system
	}
	for id, t := range m.last.threads {
		if used := t.cpu - m.first.threads[id].cpu; used > 0 {
			r.ServerThreads[t.name] += perCall(used)
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(r)
}
