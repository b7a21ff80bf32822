package main

import (
	"encoding/json"
	"errors"
	"strings"
)

// frame is one message of any protocol as our own decoder understands it. It shares no code with
// DMicro, so that what both say about a frame is said twice.
type frame struct {
	size       uint32 // as the length prefix or the line says; 0 in http, which has no such thing
	version    byte   // raw only
	filters    []byte
	payload    []byte // what filters apply to, after they were undone
	seq        int32
	mtype      byte
	method     string
	statusText string
	status     Failure
	metaText   string
	meta       map[string]any
	codec      byte
	body       []byte
	// Of http only: the first line and the headers as they stand.
	startLine string
	headers   [][2]string
}

var errShort = errors.New("frame ends too early")

// decodeMeta reads metaText; numbers stay as they are written.
func (f *frame) decodeMeta() error {
	decoder := json.NewDecoder(strings.NewReader(f.metaText))
	decoder.UseNumber()
	return decoder.Decode(&f.meta)
}
