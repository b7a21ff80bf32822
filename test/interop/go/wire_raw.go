package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// readRaw reads one frame by its length prefix, which counts itself.
func readRaw(in io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, err
	}
	f := make([]byte, binary.BigEndian.Uint32(head))
	copy(f, head)
	_, err := io.ReadFull(in, f[4:])
	return f, err
}

// decodeRaw takes exactly one frame, its length prefix included.
func decodeRaw(b []byte) (f frame, err error) {
	if len(b) < 6 || int(b[5]) > len(b)-6 {
		return f, errShort
	}
	f.size, f.version = binary.BigEndian.Uint32(b), b[4]
	if int(f.size) != len(b) {
		return f, fmt.Errorf("length says %d, frame has %d bytes", f.size, len(b))
	}
	n := 6 + int(b[5])
	f.filters = append([]byte{}, b[6:n]...)
	if f.payload, err = undoFilters(f.filters, b[n:]); err != nil {
		return f, err
	}
	return f, f.decodeRawPayload()
}

func (f *frame) decodeRawPayload() error {
	in := &fieldReader{rest: f.payload}
	seqText := string(in.take(int(in.byte())))
	f.mtype = in.byte()
	f.method = string(in.take(int(in.byte())))
	f.statusText = string(in.take(in.uint16()))
	f.metaText = string(in.take(in.uint16()))
	f.codec = in.byte()
	f.body = in.rest
	if in.short {
		return errShort
	}
	seq, err := strconv.ParseInt(seqText, 36, 32)
	if err != nil {
		return err
	}
	f.seq = int32(seq)
	if f.status, err = decodeStatus(f.statusText); err != nil {
		return fmt.Errorf("status %q: %w", f.statusText, err)
	}
	return f.decodeMeta()
}

// fieldReader remembers that it ran short instead of failing at every step.
type fieldReader struct {
	rest  []byte
	short bool
}

func (r *fieldReader) take(n int) []byte {
	if n > len(r.rest) {
		r.short, n = true, len(r.rest)
	}
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}

func (r *fieldReader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *fieldReader) uint16() int { return int(r.byte())<<8 | int(r.byte()) }

// encode writes a frame without filters, for the calls no Go client would send.
func (f frame) encode() []byte {
	seq := strconv.FormatInt(int64(f.seq), 36)
	b := []byte{0, 0, 0, 0, 1, 0, byte(len(seq))}
	b = append(b, seq...)
	b = append(b, f.mtype, byte(len(f.method)))
	b = append(b, f.method...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(f.statusText)))
	b = append(b, f.statusText...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(f.metaText)))
	b = append(b, f.metaText...)
	b = append(b, f.codec)
	b = append(b, f.body...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}
