package main

import (
	"strings"

	"github.com/osgochina/dmicro/drpc"
)

var statusChecks = []check{
	{name: "status 1001 with message and cause", row: "cause of a status", not: except{"jsonrpc": w10Cause}, run: func(s drpc.Session) error {
		r := failWith(s, Failure{1001, "refused", "because"})
		return firstError(expectStatus(r, 1001, "refused"), expectCause(r, "because"))
	}},
	{name: "a failed call has codec 0", row: "status", not: except{"http": errorBody, "jsonrpc": onlyJSON}, run: func(s drpc.Session) error {
		return expectEqual("codec", failWith(s, Failure{1001, "refused", ""}).codec, byte(0))
	}},
	{name: "status with text that JSON escapes", row: "status", goFails: except{"json": w1}, run: func(s drpc.Session) error {
		r := failWith(s, Failure{1006, "say \"hi\" \\ it's\n<b>&</b> 世界 😀", "x"})
		return expectStatus(r, 1006, "say \"hi\" \\ it's\n<b>&</b> 世界 😀")
	}},
	// Go writes \x1b and \a here, which its own reader takes for broken JSON and hangs up.
	{name: "status with awkward text", row: "status, awkward text", not: except{"jsonrpc": w10Cause}, goFails: except{every: w2}, run: func(s drpc.Session) error {
		r := failWith(s, Failure{1002, awkward, awkward + "\a\v\x7f\x00"})
		return firstError(expectStatus(r, 1002, awkward), expectCause(r, awkward+"\a\v\x7f\x00"))
	}},
	{name: "status with a negative code", row: "status", run: func(s drpc.Session) error {
		r := failWith(s, Failure{-2147483648, "lowest", "int32"})
		return expectStatus(r, -2147483648, "lowest")
	}},
	{name: "status without a cause", row: "status", run: func(s drpc.Session) error {
		// DMicro shows the message where there is no cause.
		r := failWith(s, Failure{1003, "alone", ""})
		return firstError(expectStatus(r, 1003, "alone"), expectCause(r, "alone"))
	}},
	{name: "status with a long message", row: "status", run: func(s drpc.Session) error {
		long := strings.Repeat("long ", 2000)
		r := failWith(s, Failure{1004, long, "x"})
		return expectStatus(r, 1004, long)
	}},
	{name: "500 when the handler panics", row: "status", run: func(s drpc.Session) error {
		// The cause is not compared: Go sends the panic text, a careful peer hides it.
		var got any
		r := callWithin(s, "/status/panic", "boom", &got)
		return expectStatus(r, drpc.CodeInternalServerError, "Internal Server Error")
	}},
	{name: "404 for an unknown route", row: "status", run: func(s drpc.Session) error {
		r := callWithin(s, "/no/such/route", "x", nil)
		return expectStatus(r, drpc.CodeNotFound, "Not Found")
	}},
	{name: "400 for a body that does not decode", row: "status", not: except{"jsonrpc": w10Bytes}, run: func(s drpc.Session) error {
		r := callWithin(s, "/echo/any", []byte(`{"cut":`), nil)
		return expectStatus(r, drpc.CodeBadMessage, "Bad Message")
	}},
	{name: "400 for an empty route", row: "status", not: noRoute, run: func(s drpc.Session) error {
		r := callWithin(s, "", "x", nil)
		return expectStatus(r, drpc.CodeBadMessage, "Bad Message")
	}},
}

func failWith(s drpc.Session, f Failure) reply {
	return callWithin(s, "/status/fail", f, nil)
}
