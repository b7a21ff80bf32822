package main

import (
	"bytes"
	"os"

	"github.com/gogf/gf/v2/os/glog"
	"github.com/osgochina/dmicro/drpc"
)

// quiet takes DMicro's line per call, which would cost more than the call, and what it tells of its start. Warnings and
// errors go to stderr, because stdout is for the JSON lines.
func quiet() {
	log := drpc.GetLogger()
	log.SetLevel(glog.LEVEL_PROD)
	log.SetStdoutPrint(false)
	log.SetWriter(troubles{})
}

// troubles passes on records of a level, "[WARN]" and worse: those printed at a start have none, and no level stops them.
type troubles struct{}

func (troubles) Write(record []byte) (int, error) {
	for _, level := range []string{"[WARN]", "[ERRO]", "[CRIT]", "[PANI]", "[FATA]"} {
		if bytes.Contains(record, []byte(level)) {
			return os.Stderr.Write(record)
		}
	}
	return len(record), nil
}
