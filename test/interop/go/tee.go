package main

import (
	"bufio"
	"net"
)

// tap is one recorded connection: the frames that went up (to the server) and came down.
type tap struct {
	up, down chan []byte
}

// tee is a TCP proxy that records the bytes between a Go client and a Go server.
type tee struct {
	proto    *protocol
	listener net.Listener
	upstream string
	taps     chan *tap // one for each accepted connection
}

func newTee(p *protocol, upstream string) *tee {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("%v", err)
	}
	t := &tee{proto: p, listener: listener, upstream: upstream, taps: make(chan *tap, 16)}
	go t.accept()
	return t
}

func (t *tee) address() string { return t.listener.Addr().String() }

func (t *tee) accept() {
	for {
		client, err := t.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", t.upstream)
		if err != nil {
			fail("%v", err)
		}
		// The buffer holds everything a session of ours sends before anybody looks.
		p := &tap{up: make(chan []byte, 4096), down: make(chan []byte, 4096)}
		t.taps <- p
		go relay(t.proto, client, server, p.up)
		go relay(t.proto, server, client, p.down)
	}
}

// relay copies whole frames from one end to the other and records each.
func relay(p *protocol, from, to net.Conn, frames chan<- []byte) {
	defer close(frames)
	defer to.Close()
	in := bufio.NewReader(from)
	for {
		f, err := p.read(in)
		if err != nil {
			return
		}
		frames <- f
		if _, err := to.Write(f); err != nil {
			return
		}
	}
}
