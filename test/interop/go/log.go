package main

import (
	"os"

	"github.com/gogf/gf/v2/os/glog"
	"github.com/osgochina/dmicro/drpc"
)

// logToStderr keeps stdout for JSON lines: DMicro logs to stdout unless told otherwise.
// Warnings and worse stay visible, because a test that fails shows them.
func logToStderr() {
	log := drpc.GetLogger()
	log.SetStdoutPrint(false)
	log.SetWriter(os.Stderr)
	log.SetLevel(glog.LEVEL_PROD)
}
