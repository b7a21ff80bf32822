package main

import "github.com/osgochina/dmicro/drpc"

// Echo returns its argument, in the three ways a body can travel.
type Echo struct{ drpc.CallCtx }

// Any decodes and encodes again, so the codec runs in both directions.
func (e *Echo) Any(v *any) (any, *drpc.Status) { return *v, nil }

// Text exists for the codecs that cannot decode into any, plain above all.
func (e *Echo) Text(s *string) (string, *drpc.Status) { return *s, nil }

// Bytes passes the body through untouched: DMicro applies no codec to byte slices.
func (e *Echo) Bytes(b *[]byte) ([]byte, *drpc.Status) { return *b, nil }
