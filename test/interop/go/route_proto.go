package main

import (
	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/tests/benchmark"
)

// Proto returns its argument, a message of protocol buffers.
type Proto struct{ drpc.CallCtx }

// Echo is DMicro's own benchmark, which also overwrites the first field.
func (p *Proto) Echo(m *benchmark.BenchmarkMessage) (*benchmark.BenchmarkMessage, *drpc.Status) {
	m.Field1 = "OK"
	return m, nil
}

// Same returns it as it came; all defaults are no bytes.
func (p *Proto) Same(m *benchmark.BenchmarkMessage) (*benchmark.BenchmarkMessage, *drpc.Status) {
	return m, nil
}
