package main

import "github.com/osgochina/dmicro/drpc"

// Status fails on request.
type Status struct{ drpc.CallCtx }

// Failure is what the caller wants to be refused with.
type Failure struct {
	Code  int32  `json:"code"`
	Msg   string `json:"msg"`
	Cause string `json:"cause"`
}

// Fail returns the status it is asked for.
func (s *Status) Fail(f *Failure) (any, *drpc.Status) {
	return nil, drpc.NewStatus(f.Code, f.Msg, f.Cause)
}

// Panic panics with the given text, which DMicro turns into status 500.
func (s *Status) Panic(text *string) (any, *drpc.Status) { panic(*text) }
