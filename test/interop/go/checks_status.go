package main

import (
	"strings"

	"github.com/osgochina/dmicro/drpc"
)

var statusChecks = []check{
	{name: "status 1001 with message and cause", run: func(s drpc.Session) error {
		r := failWith(s, Failure{1001, "refused", "because"})
		return firstError(expectStatus(r, 1001, "refused"), expectCause(r, "because"), expectEqual("codec", r.codec, byte(0)))
	}},
	// Go writes \x1b and \a here, which its own reader takes for broken JSON and hangs up.
	{name: "status with awkward text", goFails: true, run: func(s drpc.Session) error {
		r := failWith(s, Failure{1002, awkward, awkward + "\a\v\x7f\x00"})
		return firstError(expectStatus(r, 1002, awkward), expectCause(r, awkward+"\a\v\x7f\x00"))
	}},
	{name: "status with a negative code", run: func(s drpc.Session) error {
		r := failWith(s, Failure{-2147483648, "lowest", "int32"})
		return firstError(expectStatus(r, -2147483648, "lowest"), expectCause(r, "int32"))
	}},
	{name: "status without a cause", run: func(s drpc.Session) error {
		// DMicro shows the message where there is no cause.
		r := failWith(s, Failure{1003, "alone", ""})
		return firstError(expectStatus(r, 1003, "alone"), expectCause(r, "alone"))
	}},
	{name: "status with a long message", run: func(s drpc.Session) error {
		long := strings.Repeat("long ", 2000)
		r := failWith(s, Failure{1004, long, "x"})
		return expectStatus(r, 1004, long)
	}},
	{name: "500 when the handler panics", run: func(s drpc.Session) error {
		// The cause is not compared: Go sends the panic text, a careful peer hides it.
		var got any
		r := callWithin(s, "/status/panic", "boom", &got)
		return expectStatus(r, drpc.CodeInternalServerError, "Internal Server Error")
	}},
	{name: "404 for an unknown route", run: func(s drpc.Session) error {
		r := callWithin(s, "/no/such/route", "x", nil)
		return expectStatus(r, drpc.CodeNotFound, "Not Found")
	}},
	{name: "400 for a body that does not decode", run: func(s drpc.Session) error {
		r := callWithin(s, "/echo/any", []byte(`{"cut":`), nil)
		return expectStatus(r, drpc.CodeBadMessage, "Bad Message")
	}},
	{name: "400 for an empty route", run: func(s drpc.Session) error {
		r := callWithin(s, "", "x", nil)
		return expectStatus(r, drpc.CodeBadMessage, "Bad Message")
	}},
}

func failWith(s drpc.Session, f Failure) reply {
	return callWithin(s, "/status/fail", f, nil)
}
