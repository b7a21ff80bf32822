package main

import (
	"errors"
	"strconv"
	"strings"
)

// decodeJSON takes exactly one frame of DMicro's own layout: seven keys in one order, and a body in
// which only quotes are escaped, so that the document need not be JSON.
func decodeJSON(b []byte) (frame, error) {
	f, err := decodeSized(b)
	if err != nil {
		return f, err
	}
	in := &layoutReader{rest: string(f.payload)}
	f.seq = int32(in.number(`{"seq":`))
	f.mtype = byte(in.number(`,"mtype":`))
	f.method = in.quoted(`,"serviceMethod":`)
	f.statusText = in.quoted(`,"status":`)
	f.metaText = in.quoted(`,"meta":`)
	f.codec = byte(in.number(`,"bodyCodec":`))
	in.literal(`,"body":"`)
	text, ok := strings.CutSuffix(in.rest, `"}`)
	if in.err != nil || !ok {
		return f, errors.Join(in.err, errors.New("not the layout of DMicro's json"))
	}
	// Each quote has one backslash of the sender before it; every other byte is as it was.
	f.body = []byte(strings.ReplaceAll(text, `\"`, `"`))
	if f.status, err = decodeStatus(f.statusText); err != nil {
		return f, err
	}
	return f, f.decodeMeta()
}

// layoutReader remembers its first error instead of failing at every step.
type layoutReader struct {
	rest string
	err  error
}

func (r *layoutReader) literal(key string) {
	rest, ok := strings.CutPrefix(r.rest, key)
	if !ok && r.err == nil {
		r.err = errors.New("no " + key)
	}
	r.rest = rest
}

func (r *layoutReader) number(key string) int64 {
	r.literal(key)
	end := strings.IndexByte(r.rest, ',')
	if end < 0 {
		end = len(r.rest)
	}
	n, err := strconv.ParseInt(r.rest[:end], 10, 32)
	if err != nil && r.err == nil {
		r.err = err
	}
	r.rest = r.rest[end:]
	return n
}

func (r *layoutReader) quoted(key string) string {
	value, rest, err := cutQuoted(r.rest, key)
	if err != nil && r.err == nil {
		r.err = err
	}
	r.rest = rest
	return value
}
