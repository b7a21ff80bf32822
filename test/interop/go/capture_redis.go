package main

import (
	"encoding/hex"
	"fmt"
	"net"
)

// redisVector is a command and what DMicro answers.
type redisVector struct {
	Name       string   `json:"name"`
	Source     string   `json:"source"`
	RequestHex string   `json:"requestHex"`
	Args       []string `json:"argsHex"`
	Hex        string   `json:"hex"`
}

// captureRedis sends commands by hand, each on a connection of its own: DMicro has no client for redis.
func captureRedis(p *protocol) []redisVector {
	addr := captureServer(p)
	var all []redisVector
	keep := func(name string, request []byte, args []string) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			fail("%v", err)
		}
		defer conn.Close()
		if _, err := conn.Write(request); err != nil {
			fail("%s: %v", name, err)
		}
		reply, err := p.read(conn)
		if err != nil {
			fail("%s: %v", name, err)
		}
		v := redisVector{Name: name, Source: "socket", RequestHex: hex.EncodeToString(request), Args: []string{}, Hex: hex.EncodeToString(reply)}
		for _, arg := range args {
			v.Args = append(v.Args, hex.EncodeToString([]byte(arg)))
		}
		all = append(all, v)
	}
	command := func(name string, args ...string) {
		request := fmt.Appendf(nil, "*%d\r\n", len(args))
		for _, arg := range args {
			request = fmt.Appendf(request, "$%d\r\n%s\r\n", len(arg), arg)
		}
		keep(name, request, args)
	}
	command("simple", "PING")
	command("simple-lower-case", "ping")
	command("set", "SET", "foo", "bar")
	command("bulk", "GET", "foo")
	command("null", "GET", "no such key")
	command("bulk-binary", "ECHO", "\x00\r\n\xff")
	command("bulk-unicode", "ECHO", awkward)
	command("bulk-4-kib", "ECHO", pattern(4000))
	command("integer", "STRLEN", "12345")
	command("array", "LIST", "a", "b\r\n", "世界")
	command("array-empty", "LIST")
	command("error-in-result", "WRONG")
	command("error-status", "SET", "only a key")
	command("error-unknown", "DEL", "foo")
	keep("inline", []byte("PING\r\n"), []string{"PING"})
	keep("inline-arguments", []byte("ECHO hello\r\n"), []string{"ECHO", "hello"})
	return all
}
