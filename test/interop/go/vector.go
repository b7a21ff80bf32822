package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/osgochina/dmicro/drpc/message"
)

// vector is one entry of a file of vectors.
type vector struct {
	Name   string `json:"name"`
	Source string `json:"source"` // "socket": read from a connection; "pack": written to a buffer
	Hex    string `json:"hex"`
	// PayloadHex is what the filters were given, present when there are any: a peer's gzip may
	// choose other bits for the same bytes.
	PayloadHex string `json:"payloadHex,omitempty"`
	// GoReads is false for the frames Go writes and then cannot read itself; GoError says why.
	GoReads bool   `json:"goReads"`
	GoError string `json:"goError,omitempty"`
	// Quirk is the entry of docs/spec/go-defects.md that explains GoError.
	Quirk  string `json:"quirk,omitempty"`
	Fields fields `json:"fields"`
}

// fields is the frame decoded. Each invalid UTF-8 byte of a status shows as one U+FFFD.
type fields struct {
	Size          uint32         `json:"size,omitempty"`
	Version       byte           `json:"version,omitempty"`
	StartLine     string         `json:"startLine,omitempty"`
	Headers       [][2]string    `json:"headers,omitempty"`
	Filters       []int          `json:"filters"`
	Seq           int32          `json:"seq"`
	Type          byte           `json:"type"`
	ServiceMethod string         `json:"serviceMethod"`
	Status        Failure        `json:"status"`
	StatusText    string         `json:"statusText,omitempty"`
	Meta          map[string]any `json:"meta"`
	MetaText      string         `json:"metaText,omitempty"`
	Codec         byte           `json:"codec"`
	BodyHex       string         `json:"bodyHex"`
}

// newVector decodes a frame with our decoder and with DMicro's, and fails where they differ.
func newVector(p *protocol, name, source string, raw []byte) (vector, error) {
	f, err := p.decode(raw)
	if err != nil {
		return vector{}, fmt.Errorf("%s: %w", name, err)
	}
	v := vector{Name: name, Source: source, Hex: hex.EncodeToString(raw), Fields: fields{
		Size: f.size, Version: f.version, StartLine: f.startLine, Headers: f.headers, Filters: []int{}, Seq: f.seq, Type: f.mtype,
		ServiceMethod: f.method, Status: f.status, StatusText: f.statusText,
		Meta: f.meta, MetaText: f.metaText, Codec: f.codec, BodyHex: hex.EncodeToString(f.body),
	}}
	for _, id := range f.filters {
		v.Fields.Filters = append(v.Fields.Filters, int(id))
	}
	if len(f.filters) > 0 {
		v.PayloadHex = hex.EncodeToString(f.payload)
	}
	if err := dmicroAgrees(p, raw, f); err != nil {
		v.GoError, v.Quirk = err.Error(), knownQuirk(p, f)
		if v.Quirk == "" {
			return v, fmt.Errorf("%s: DMicro reads it differently: %w", name, err)
		}
	}
	v.GoReads = v.GoError == ""
	return v, nil
}

// dmicroAgrees has DMicro unpack the frame and compares every field.
func dmicroAgrees(p *protocol, raw []byte, f frame) error {
	var body []byte
	m := message.NewMessage(message.WithNewBody(func(message.Header) any { return &body }))
	if err := p.proto()(struct {
		io.Reader
		io.Writer
	}{bytes.NewReader(raw), io.Discard}).Unpack(m); err != nil {
		return err
	}
	var stat Failure
	if p.is("jsonrpc") { // carries no cause
		stat = Failure{Code: m.Status().Code(), Msg: m.Status().Msg()}
	} else if !m.StatusOK() || f.statusText != "" { // a status that nobody set is no JSON
		if err := json.Unmarshal([]byte(m.Status().String()), &stat); err != nil {
			return err
		}
	}
	meta := map[string]any{}
	m.Meta().Iterator(func(key, value any) bool {
		if !p.is("http") || !notMeta[key.(string)] {
			meta[key.(string)] = value
		}
		return true
	})
	got := []any{m.Size(), string(m.PipeTFilter().IDs()), m.Seq(), m.MType(), m.ServiceMethod(), stat, meta, m.BodyCodec(), string(body)}
	want := []any{f.size, string(f.filters), f.seq, f.mtype, f.method, f.status, f.meta, f.codec, string(f.body)}
	if p.is("http") {
		got[0] = f.size // a rough count in DMicro, which nothing needs
	}
	if p.is("jsonrpc") {
		got[8], want[8] = sortedJSON(body), sortedJSON(f.body)
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			return fmt.Errorf("field %d is %s, not %s", i, brief(got[i]), brief(want[i]))
		}
	}
	return nil
}

// sortedJSON writes a value again with its keys sorted, numbers as they are, and null as nothing.
func sortedJSON(text []byte) string {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil || value == nil {
		return ""
	}
	again, _ := json.Marshal(value)
	return string(again)
}

// knownQuirk is the one reason for which Go may read a frame of its own otherwise than it was meant.
func knownQuirk(p *protocol, f frame) string {
	switch {
	case f.statusText != "" && !json.Valid([]byte(f.statusText)):
		return "W2"
	case p.is("json") && strings.ContainsFunc(string(f.body), func(r rune) bool { return r < ' ' || r == '\\' || r == utf8.RuneError }):
		return "W1"
	case p.is("http") && strings.ContainsAny(f.startLine, "?%"):
		return "W7"
	case p.is("jsonrpc"):
		return "W10"
	}
	return ""
}

// encodeVectors writes one vector to a line, so that a change of one is a change of one line.
func encodeVectors[V any](all []V) ([]byte, error) {
	lines := make([]string, 0, len(all))
	for _, v := range all {
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return nil, err
		}
		lines = append(lines, strings.TrimSpace(line.String()))
	}
	return []byte("[\n" + strings.Join(lines, ",\n") + "\n]\n"), nil
}
