package main

import (
	"encoding/binary"
	"fmt"
	"io"
)

// readSized reads one frame of json or protobuf: a length that does not count itself, then that many bytes.
func readSized(in io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, err
	}
	f := make([]byte, 4+binary.BigEndian.Uint32(head))
	copy(f, head)
	_, err := io.ReadFull(in, f[4:])
	return f, err
}

// decodeSized takes the envelope that json and protobuf share off a frame.
func decodeSized(b []byte) (f frame, err error) {
	if len(b) < 5 || int(b[4]) > len(b)-5 {
		return f, errShort
	}
	f.size = binary.BigEndian.Uint32(b)
	if int(f.size) != len(b)-4 {
		return f, fmt.Errorf("length says %d, frame has %d bytes more", f.size, len(b)-4)
	}
	n := 5 + int(b[4])
	f.filters = append([]byte{}, b[5:n]...)
	f.payload, err = undoFilters(f.filters, b[n:])
	return f, err
}
