package main

import "strings"

const payloadNames = "json-32|json-64|json-1k|json-64k|bench-json|bench-protobuf"

// payload says what a call carries and echoes: a text, or DMicro's BenchmarkMessage.
type payload struct {
	name  string
	text  int    // bytes of the text as JSON, with its quotes; 0: a BenchmarkMessage
	codec string // DMicro's name of the body codec
}

func parsePayload(name string) payload {
	for _, p := range []payload{
		{name: "json-32", text: 32, codec: "json"},
		{name: "json-64", text: 64, codec: "json"},
		{name: "json-1k", text: 1 << 10, codec: "json"},
		{name: "json-64k", text: 64 << 10, codec: "json"},
		{name: "bench-json", codec: "json"},
		{name: "bench-protobuf", codec: "protobuf"},
	} {
		if p.name == name {
			return p
		}
	}
	fail("unknown payload %q; known: %s", name, payloadNames)
	panic("unreachable")
}

// textOf is the text of one caller. Each has its own start, so that a server that mixes up calls is found out.
func (p payload) textOf(caller int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	text := []byte(strings.Repeat(letters, p.text/len(letters)+1)[:p.text-2])
	for i := 0; i < 8; i++ {
		text[i] = 'A' + byte(caller>>(4*i)&15)
	}
	return string(text)
}
