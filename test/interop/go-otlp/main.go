// Command dmicro-otlp reads what was sent to a collector on stdin, with OpenTelemetry's own protobuf definitions, and
// prints it as JSON: `dmicro-otlp metrics` reads JSON, `dmicro-otlp traces` reads protobuf. It fails for unknown fields.
package main

import (
	"fmt"
	"io"
	"os"

	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

func main() {
	body, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = decode(os.Args[1], body)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// decode uses that requests to a collector have the fields of MetricsData and TracesData.
func decode(kind string, body []byte) error {
	var message proto.Message
	var err error
	if kind == "metrics" {
		message = &metrics.MetricsData{}
		err = protojson.Unmarshal(body, message)
	} else {
		message = &trace.TracesData{}
		err = proto.Unmarshal(body, message)
		if err == nil && len(message.ProtoReflect().GetUnknown()) > 0 {
			err = fmt.Errorf("unknown fields")
		}
	}
	if err != nil {
		return err
	}
	text, err := protojson.Marshal(message)
	if err == nil {
		_, err = os.Stdout.Write(text)
	}
	return err
}
