package main

import (
	"fmt"
	"time"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
	"github.com/osgochina/dmicro/drpc/message"
	"github.com/osgochina/dmicro/drpc/plugin/securebody"
	"github.com/osgochina/dmicro/tests/benchmark"
	"google.golang.org/protobuf/proto"
)

// idleTime is more than the two heartbeats after which a silent session is closed.
const idleTime = 2*pingSeconds*time.Second + 2*time.Second

// pluginChecks are run in place of all others by a client with these plugins.
func pluginChecks(plugins string) []check {
	switch plugins {
	case "secure":
		return secureChecks
	case "ping-call", "ping-push":
		return []check{{name: "heartbeats keep an idle session", run: stayIdle}}
	}
	fail("no checks for the plugins %q", plugins)
	return nil
}

func stayIdle(sess drpc.Session) error {
	time.Sleep(idleTime)
	if !sess.Health() {
		return fmt.Errorf("the session was closed within %s", idleTime)
	}
	var sum int
	return firstError(expectOK(callWithin(sess, "/math/add", []int{1, 2}, &sum)), expectEqual("sum", sum, 3))
}

var secureChecks = []check{
	secureCheck("encrypted call, encrypted reply", true, securebody.WithSecureMeta()),
	secureCheck("encrypted call, plain reply", false, securebody.WithSecureMeta(), securebody.WithReplySecureMeta(false)),
	secureCheck("plain call, encrypted reply", true, securebody.WithReplySecureMeta(true)),
	secureCheck("plain call, plain reply", false),
	{name: "encrypted push", run: func(s drpc.Session) error {
		if stat := s.Push("/note", "secret", securebody.WithSecureMeta()); !stat.OK() {
			return fmt.Errorf("push: %s", stat)
		}
		var notes []string
		r := callWithin(s, "/note/list", 1, &notes, securebody.WithSecureMeta())
		return firstError(expectOK(r), expectEqual("notes", fmt.Sprint(notes), "[secret]"))
	}},
	{name: "encrypted call that fails", run: func(s drpc.Session) error {
		r := callWithin(s, "/status/fail", Failure{1001, "refused", "because"}, nil, securebody.WithSecureMeta())
		return expectStatus(r, 1001, "refused")
	}},
}

// secureCheck calls in json and in protobuf and wants the reply as asked.
func secureCheck(name string, encrypted bool, settings ...message.MsgSetting) check {
	return check{name: name, run: func(s drpc.Session) error {
		var text string
		r := callWithin(s, "/echo/text", "word", &text, settings...)
		if err := firstError(expectOK(r), expectEqual("text", text, "word"), expectMark(r, encrypted)); err != nil {
			return fmt.Errorf("json: %w", err)
		}
		sent, got := benchmarkMessage(), new(benchmark.BenchmarkMessage)
		r = callWithin(s, "/proto/same", sent, got, append(settings, drpc.WithBodyCodec(codec.ProtobufName))...)
		if err := firstError(expectOK(r), expectMark(r, encrypted)); err != nil {
			return fmt.Errorf("protobuf: %w", err)
		}
		if !proto.Equal(got, sent) {
			return fmt.Errorf("protobuf: message is %s", brief(got.String()))
		}
		return nil
	}}
}

func expectMark(r reply, encrypted bool) error {
	return expectEqual("encrypted", r.meta[securebody.SecureMetaKey] != nil, encrypted)
}
