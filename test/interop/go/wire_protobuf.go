package main

import (
	"encoding/binary"
	"fmt"
)

// decodeProtobuf takes exactly one frame. It reads the message by its wire types alone.
func decodeProtobuf(b []byte) (frame, error) {
	f, err := decodeSized(b)
	if err != nil {
		return f, err
	}
	for rest := f.payload; len(rest) > 0; {
		key, n := binary.Uvarint(rest)
		if n <= 0 {
			return f, errShort
		}
		value, m := binary.Uvarint(rest[n:]) // a number, or the length of what follows
		if m <= 0 {
			return f, errShort
		}
		rest = rest[n+m:]
		var data []byte
		if key&7 == 2 {
			if value > uint64(len(rest)) {
				return f, errShort
			}
			data, rest = rest[:value], rest[value:]
		}
		if err := f.setField(key, value, data); err != nil {
			return f, err
		}
	}
	if f.status, err = decodeStatus(f.statusText); err != nil {
		return f, err
	}
	return f, f.decodeMeta()
}

// setField stores one field; its key is the number and the wire type, 0 for a varint and 2 for bytes.
func (f *frame) setField(key, value uint64, data []byte) error {
	switch key {
	case 1 << 3:
		f.seq = int32(value)
	case 2 << 3:
		f.mtype = byte(value)
	case 3<<3 | 2:
		f.method = string(data)
	case 4<<3 | 2:
		f.statusText = string(data)
	case 5<<3 | 2:
		f.metaText = string(data)
	case 6 << 3:
		f.codec = byte(value)
	case 7<<3 | 2:
		f.body = data
	default:
		return fmt.Errorf("unknown field %d of type %d", key>>3, key&7)
	}
	return nil
}
