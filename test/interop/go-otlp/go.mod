module dmicro-otlp

go 1.24.7

require (
	go.opentelemetry.io/proto/otlp v1.5.0
	google.golang.org/protobuf v1.36.10
)
