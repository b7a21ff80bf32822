// Command dmicro-dserver is a Go application of the real DMicro dserver: `start` runs it, `ctl` is Go's own client.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/osgochina/dmicro/dserver"
	"github.com/osgochina/dmicro/logger"
)

// hello is a sandbox that does nothing but log.
type hello struct {
	dserver.ServiceSandbox
	stop chan struct{}
}

func (h *hello) Name() string { return "hello" }

func (h *hello) Setup() error {
	h.stop = make(chan struct{})
	fmt.Println("ready hello")
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case <-h.stop:
			return nil
		case <-tick.C:
			logger.Info(context.TODO(), "an info line")
			logger.Warning(context.TODO(), "a warning line")
		}
	}
}

func (h *hello) Shutdown() error {
	close(h.stop)
	return nil
}

// The first argument is the name of the application, on which its socket in TMPDIR depends.
func main() {
	name := os.Args[1]
	os.Args = append(os.Args[:1], os.Args[2:]...)
	dserver.SetName(name)
	dserver.Setup(func(svr *dserver.DServer) {
		if err := svr.AddSandBox(new(hello)); err != nil {
			panic(err)
		}
	})
}
