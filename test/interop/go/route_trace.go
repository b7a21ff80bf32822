package main

import (
	"context"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/message"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Trace carries a trace on: DMicro itself hands no meta from a call to the calls of its handler.
type Trace struct{ drpc.CallCtx }

// Back calls the session that called it, in the trace of the call, and returns the trace id that Go read, "" for none.
func (c *Trace) Back(n *int) (string, *drpc.Status) {
	carrier := propagation.MapCarrier{}
	c.VisitMeta(func(key, value any) bool {
		carrier[key.(string)], _ = value.(string)
		return true
	})
	w3c := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	ctx := w3c.Extract(context.Background(), carrier)
	sent := propagation.MapCarrier{}
	w3c.Inject(ctx, sent)
	settings := []message.MsgSetting{}
	for key, value := range sent {
		settings = append(settings, drpc.WithSetMeta(key, value))
	}
	var doubled int
	if stat := callWithin(c.Session(), "/client/double", *n, &doubled, settings...).Status(); !stat.OK() {
		return "", stat
	}
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return "", nil
	}
	return span.TraceID().String(), nil
}
