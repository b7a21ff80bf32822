package main

import "strings"

const payloadNames = "json-32|json-64|json-1k|json-64k|object-json|bench-json|bench-protobuf"

type shape int

const (
	aText shape = iota
	anObject
	aMessage
)

// payload says what a call carries and echoes: a text, an object, or DMicro's BenchmarkMessage.
type payload struct {
	name  string
	shape shape
	text  int    // bytes of a text as JSON, with its quotes
	codec string // DMicro's name of the body codec
}

func parsePayload(name string) payload {
	for _, p := range []payload{
		{name: "json-32", text: 32, codec: "json"},
		{name: "json-64", text: 64, codec: "json"},
		{name: "json-1k", text: 1 << 10, codec: "json"},
		{name: "json-64k", text: 64 << 10, codec: "json"},
		{name: "object-json", shape: anObject, codec: "json"},
		{name: "bench-json", shape: aMessage, codec: "json"},
		{name: "bench-protobuf", shape: aMessage, codec: "protobuf"},
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
	copy(text, lettersOf(caller))
	return string(text)
}
