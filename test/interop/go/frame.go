package main

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// frame is one raw-protocol message as our own decoder understands it. It shares no code with
// DMicro, so that what both say about a frame is said twice.
type frame struct {
	size       uint32
	version    byte
	filters    []byte
	payload    []byte // after the filters were undone
	seq        int32
	mtype      byte
	method     string
	statusText string
	status     Failure
	metaText   string
	meta       map[string]any
	codec      byte
	body       []byte
}

var errShort = errors.New("frame ends too early")

// decodeFrame takes exactly one frame, its length prefix included.
func decodeFrame(b []byte) (f frame, err error) {
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
	return f, f.decodePayload()
}

func (f *frame) decodePayload() error {
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
	decoder := json.NewDecoder(strings.NewReader(f.metaText))
	decoder.UseNumber()
	return decoder.Decode(&f.meta)
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

// decodeStatus reads {"code":N,"msg":Q,"cause":Q} where Q is a string in Go's quoting, which is
// not always JSON (\x1b, \a, \xff).
func decodeStatus(text string) (s Failure, err error) {
	rest, ok := strings.CutPrefix(text, `{"code":`)
	code, rest, ok2 := strings.Cut(rest, ",")
	n, err := strconv.ParseInt(code, 10, 32)
	if !ok || !ok2 || err != nil {
		return s, errors.New("no code")
	}
	s.Code = int32(n)
	if s.Msg, rest, err = cutQuoted(rest, `"msg":`); err != nil {
		return s, err
	}
	if s.Cause, rest, err = cutQuoted(strings.TrimPrefix(rest, ","), `"cause":`); err != nil {
		return s, err
	}
	if rest != "}" {
		return s, fmt.Errorf("%q is left over", rest)
	}
	return s, nil
}

func cutQuoted(text, key string) (value, rest string, err error) {
	text, ok := strings.CutPrefix(text, key)
	if !ok {
		return "", "", fmt.Errorf("no %s", key)
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", "", err
	}
	value, err = strconv.Unquote(quoted)
	return value, text[len(quoted):], err
}

// undoFilters peels from the first id, which is the outermost layer.
func undoFilters(ids, data []byte) ([]byte, error) {
	for _, id := range ids {
		switch id {
		case 'z':
			in, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				return nil, err
			}
			if data, err = io.ReadAll(in); err != nil {
				return nil, err
			}
		case '5':
			cut := len(data) - md5.Size
			if cut < 0 {
				return nil, errShort
			}
			if sum := md5.Sum(data[:cut]); !bytes.Equal(sum[:], data[cut:]) {
				return nil, errors.New("md5 differs")
			}
			data = data[:cut]
		case 'a':
			var err error
			if data, err = decrypt(data); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("unknown filter %d", id)
		}
	}
	return data, nil
}

// decrypt undoes AES-CBC with DMicro's constant IV and PKCS#7 padding.
func decrypt(data []byte) ([]byte, error) {
	block, err := aes.NewCipher([]byte(aesKey))
	if err != nil {
		return nil, err
	}
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errShort
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, []byte("I Love Go Frame!")).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, errors.New("aes padding")
	}
	return plain[:len(plain)-padding], nil
}

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
