package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/osgochina/dmicro/drpc/message"
	"github.com/osgochina/dmicro/drpc/proto/rawproto"
)

// vector is one entry of raw.json.
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
	Fields  fields `json:"fields"`
}

// fields is the frame decoded. Each invalid UTF-8 byte of a status shows as one U+FFFD.
type fields struct {
	Size          uint32         `json:"size"`
	Version       byte           `json:"version"`
	Filters       []int          `json:"filters"`
	Seq           int32          `json:"seq"`
	Type          byte           `json:"type"`
	ServiceMethod string         `json:"serviceMethod"`
	Status        Failure        `json:"status"`
	StatusText    string         `json:"statusText"`
	Meta          map[string]any `json:"meta"`
	MetaText      string         `json:"metaText"`
	Codec         byte           `json:"codec"`
	BodyHex       string         `json:"bodyHex"`
}

// newVector decodes a frame with our decoder and with DMicro's, and fails where they differ.
func newVector(name, source string, raw []byte) (vector, error) {
	f, err := decodeFrame(raw)
	if err != nil {
		return vector{}, fmt.Errorf("%s: %w", name, err)
	}
	v := vector{Name: name, Source: source, Hex: hex.EncodeToString(raw), Fields: fields{
		Size: f.size, Version: f.version, Filters: []int{}, Seq: f.seq, Type: f.mtype,
		ServiceMethod: f.method, Status: f.status, StatusText: f.statusText,
		Meta: f.meta, MetaText: f.metaText, Codec: f.codec, BodyHex: hex.EncodeToString(f.body),
	}}
	for _, id := range f.filters {
		v.Fields.Filters = append(v.Fields.Filters, int(id))
	}
	if len(f.filters) > 0 {
		v.PayloadHex = hex.EncodeToString(f.payload)
	}
	if err := dmicroAgrees(raw, f); err != nil {
		v.GoError = err.Error()
		// The one thing Go may fail at is its own status quoting.
		if json.Valid([]byte(f.statusText)) {
			return v, fmt.Errorf("%s: DMicro reads it differently: %w", name, err)
		}
	}
	v.GoReads = v.GoError == ""
	return v, nil
}

// dmicroAgrees has DMicro unpack the frame and compares every field.
func dmicroAgrees(raw []byte, f frame) error {
	var body []byte
	m := message.NewMessage(message.WithNewBody(func(message.Header) any { return &body }))
	if err := rawproto.RawProtoFunc(struct {
		io.Reader
		io.Writer
	}{bytes.NewReader(raw), io.Discard}).Unpack(m); err != nil {
		return err
	}
	var stat Failure
	if err := json.Unmarshal([]byte(m.Status().String()), &stat); err != nil {
		return err
	}
	meta := map[string]any{}
	m.Meta().Iterator(func(key, value any) bool {
		meta[key.(string)] = value
		return true
	})
	got := []any{m.Size(), string(m.PipeTFilter().IDs()), m.Seq(), m.MType(), m.ServiceMethod(), stat, meta, m.BodyCodec(), string(body)}
	want := []any{f.size, string(f.filters), f.seq, f.mtype, f.method, f.status, f.meta, f.codec, string(f.body)}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			return fmt.Errorf("field %d is %s, not %s", i, brief(got[i]), brief(want[i]))
		}
	}
	return nil
}

// encodeVectors writes one vector to a line, so that a change of one is a change of one line.
func encodeVectors(all []vector) ([]byte, error) {
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
