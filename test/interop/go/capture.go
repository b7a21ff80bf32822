package main

import (
	"flag"
	"fmt"
	"iter"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/message"
)

func runCapture(args []string) {
	flags := flag.NewFlagSet("capture", flag.ExitOnError)
	out := flags.String("out", ".", "directory for raw.json")
	_ = flags.Parse(args)

	rec := &recorder{names: map[string]bool{}}
	captureBodies(rec)
	captureMeta(rec)
	captureMethods(rec)
	captureSeqs(rec)
	captureErrors(rec)
	captureStatuses(rec)
	captureFilters(rec)
	captureAuth(rec)
	capturePacked(rec)

	text, err := encodeVectors(rec.vectors)
	if err != nil {
		fail("%v", err)
	}
	file := filepath.Join(*out, "raw.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		fail("%v", err)
	}
	fmt.Printf("{\"file\":%q,\"vectors\":%d}\n", file, len(rec.vectors))
}

// recorder collects vectors; any doubt about one ends the run, a wrong vector is worse than none.
type recorder struct {
	vectors []vector
	names   map[string]bool
}

// keep stores a frame under a name; the empty name drops it.
func (r *recorder) keep(name, source string, raw []byte) {
	if name == "" {
		return
	}
	if r.names[name] {
		fail("vector %q twice", name)
	}
	r.names[name] = true
	v, err := newVector(name, source, raw)
	if err != nil {
		fail("%v", err)
	}
	r.vectors = append(r.vectors, v)
}

// captureServer starts a Go server with all routes and returns its address.
func captureServer(plugins ...drpc.Plugin) string {
	listening := make(listenSignal, 1)
	endpoint := drpc.NewEndpoint(listenConfig("tcp", "127.0.0.1:0"), append(plugins, listening)...)
	registerServerRoutes(endpoint)
	expectNames(endpoint.RouteCall(new(Odd)), "/odd/fail", "/odd/gzip", "/odd/nil", "/odd/panic")
	go endpoint.ListenAndServe()
	return (<-listening).String()
}

// listenSignal is a plugin that hands on the address of a listener.
type listenSignal chan net.Addr

func (listenSignal) Name() string { return "listen-signal" }

func (s listenSignal) AfterListen(addr net.Addr) error {
	s <- addr
	return nil
}

// line is a Go client, a Go server, and the record of what they say to each other.
type line struct {
	rec  *recorder
	sess drpc.Session
	tap  *tap
	seq  *seqOverride
}

// newLine connects afresh, so its first message has seq 1.
func newLine(rec *recorder, serverPlugins ...drpc.Plugin) *line {
	t := newTee(captureServer(serverPlugins...))
	seq := &seqOverride{}
	cfg, _ := dialConfig("tcp")
	client := drpc.NewEndpoint(cfg, seq)
	registerClientRoutes(client)
	sess, stat := client.Dial(t.address())
	if !stat.OK() {
		fail("dial: %s", stat)
	}
	return &line{rec: rec, sess: sess, tap: <-t.taps, seq: seq}
}

// call makes one call and keeps both frames.
func (l *line) call(callName, replyName, method string, arg any, settings ...message.MsgSetting) {
	l.sess.AsyncCall(method, arg, nil, make(chan drpc.CallCmd, 1), settings...)
	l.rec.keep(callName, "socket", next(l.tap.up))
	l.rec.keep(replyName, "socket", next(l.tap.down))
}

// push sends one push and keeps its frame.
func (l *line) push(name, method string, arg any, settings ...message.MsgSetting) {
	if stat := l.sess.Push(method, arg, settings...); !stat.OK() {
		fail("push %s: %s", name, stat)
	}
	l.rec.keep(name, "socket", next(l.tap.up))
}

func next(frames <-chan []byte) []byte {
	select {
	case f := <-frames:
		return f
	case <-time.After(patience):
		fail("no frame within %s", patience)
		return nil
	}
}

// sorted walks a map in the order of its keys, so that two captures give the same file.
func sorted[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
