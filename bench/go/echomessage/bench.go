// Package echomessage is DMicro's route /bench/echo for a BenchmarkMessage (see echotext for why it is a package).
package echomessage

import (
	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/tests/benchmark"
)

// Bench is the controller of /bench/echo.
type Bench struct{ drpc.CallCtx }

// Echo answers with its argument, decoded and encoded again.
func (b *Bench) Echo(message *benchmark.BenchmarkMessage) (*benchmark.BenchmarkMessage, *drpc.Status) {
	return message, nil
}
