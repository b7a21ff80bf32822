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
	out := flags.String("out", ".", "directory for the files")
	_ = flags.Parse(args)

	for _, p := range protocols {
		text, count, err := captureProtocol(p)
		if err != nil {
			fail("%s: %v", p.name, err)
		}
		file := filepath.Join(*out, p.name+".json")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			fail("%v", err)
		}
		fmt.Printf("{\"file\":%q,\"vectors\":%d}\n", file, count)
	}
}

// captureProtocol records everything DMicro says in one protocol.
func captureProtocol(p *protocol) (text []byte, count int, err error) {
	if p.is("redis") {
		all := captureRedis(p)
		text, err = encodeVectors(all)
		return text, len(all), err
	}
	rec := &recorder{proto: p, names: map[string]bool{}}
	if p.is("jsonrpc") {
		captureJSONRPC(rec)
	} else {
		captureBodies(rec)
		captureMeta(rec)
		captureMethods(rec)
		captureSeqs(rec)
		captureErrors(rec)
		captureStatuses(rec)
		captureFilters(rec)
		captureAuth(rec)
		capturePacked(rec)
		captureCodecs(rec)
	}
	text, err = encodeVectors(rec.vectors)
	return text, len(rec.vectors), err
}

// recorder collects vectors; any doubt about one ends the run, a wrong vector is worse than none.
type recorder struct {
	proto   *protocol
	vectors []vector
	names   map[string]bool
}

// keep stores a frame under a name; the empty name drops it.
func (r *recorder) keep(name, source string, raw []byte) vector {
	v, err := newVector(r.proto, name, source, raw)
	if err != nil {
		fail("%v", err)
	}
	if name == "" {
		return v
	}
	if r.names[name] {
		fail("vector %q twice", name)
	}
	r.names[name] = true
	r.vectors = append(r.vectors, v)
	return v
}

// captureServer starts a Go server with all routes and returns its address.
func captureServer(p *protocol, plugins ...drpc.Plugin) string {
	listening := make(listenSignal, 1)
	protoFunc := p.proto()
	endpoint := newServer(p, listenConfig("tcp", "127.0.0.1:0"), append(plugins, listening)...)
	expectNames(endpoint.RouteCall(new(Odd)), "/odd/fail", "/odd/gzip", "/odd/nil", "/odd/panic", "/odd/text")
	go endpoint.ListenAndServe(protoFunc)
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
	rec     *recorder
	plugins []drpc.Plugin // of the server
	sess    drpc.Session
	tap     *tap
	seq     *seqOverride
	broken  bool
}

// newLine connects afresh, so its first message has seq 1.
func newLine(rec *recorder, serverPlugins ...drpc.Plugin) *line {
	l := &line{rec: rec, plugins: serverPlugins, seq: &seqOverride{}}
	l.connect()
	return l
}

func (l *line) connect() {
	p := l.rec.proto
	t := newTee(p, captureServer(p, l.plugins...))
	cfg, _ := dialConfig("tcp")
	client := drpc.NewEndpoint(cfg, l.seq)
	registerClientRoutes(client)
	sess, stat := client.Dial(t.address(), p.proto())
	if !stat.OK() {
		fail("dial: %s", stat)
	}
	l.sess, l.tap, l.broken = sess, <-t.taps, false
}

// call makes one call and keeps both frames. A server that cannot read its own protocol hangs up
// instead of answering; the next call then has a connection of its own.
func (l *line) call(callName, replyName, method string, arg any, settings ...message.MsgSetting) {
	if l.broken {
		l.connect()
	}
	cmd := l.sess.AsyncCall(method, arg, nil, make(chan drpc.CallCmd, 1), settings...)
	if stat := cmd.Status(); stat.Code() == drpc.CodeWriteFailed {
		fail("%s: %s", callName, stat)
	}
	l.keep(callName, l.tap.up)
	l.keep(replyName, l.tap.down)
}

func (l *line) keep(name string, frames <-chan []byte) {
	f, ok := next(frames)
	if !ok {
		l.broken = true
		return
	}
	if v := l.rec.keep(name, "socket", f); !v.GoReads {
		l.broken = true
	}
}

// push sends one push and keeps its frame, in the protocols that have pushes.
func (l *line) push(name, method string, arg any, settings ...message.MsgSetting) {
	if !l.rec.proto.push {
		return
	}
	if l.broken {
		l.connect()
	}
	if stat := l.sess.Push(method, arg, settings...); !stat.OK() {
		fail("push %s: %s", name, stat)
	}
	l.keep(name, l.tap.up)
}

// next is false when the connection ended.
func next(frames <-chan []byte) ([]byte, bool) {
	select {
	case f, ok := <-frames:
		return f, ok
	case <-time.After(patience):
		fail("no frame within %s", patience)
		return nil, false
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
