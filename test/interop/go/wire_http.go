package main

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
)

// readHTTP reads one message: lines up to an empty one, then Content-Length bytes.
func readHTTP(in io.Reader) ([]byte, error) {
	var message []byte
	length := 0
	for {
		line, err := readLine(in)
		if err != nil {
			return nil, err
		}
		message = append(message, line...)
		if string(line) == "\r\n" {
			break
		}
		if text, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
				return nil, err
			}
		}
	}
	body := make([]byte, length)
	_, err := io.ReadFull(in, body)
	return append(message, body...), err
}

var codecOfType = map[string]byte{
	"application/x-protobuf": 'p', "application/json": 'j', "application/x-www-form-urlencoded": 'f', "text/plain": 's', "text/xml": 'x',
}

// notMeta are the headers of the protocol itself; DMicro takes some of them for meta (W5).
var notMeta = map[string]bool{
	"Accept-Encoding": true, "Content-Encoding": true, "Content-Length": true, "Content-Type": true, "Host": true,
	"User-Agent": true, "X-Content-Encoding": true, "X-Mtype": true, "X-Seq": true,
}

// decodeHTTP takes exactly one message.
func decodeHTTP(b []byte) (f frame, err error) {
	head, body, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		return f, errShort
	}
	lines := strings.Split(string(head), "\r\n")
	f.startLine, f.meta = lines[0], map[string]any{}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			return f, fmt.Errorf("header %q", line)
		}
		f.headers = append(f.headers, [2]string{name, value})
		if err := f.setHeader(name, value); err != nil {
			return f, err
		}
	}
	if f.payload, err = undoFilters(f.filters, body); err != nil {
		return f, err
	}
	f.body = f.payload
	switch {
	case f.startLine == "HTTP/1.1 200 OK":
	case f.startLine == "HTTP/1.1 299 Business Error":
		f.body, f.statusText = nil, string(f.payload)
		f.status, err = decodeStatus(f.statusText)
	default:
		target, ok := strings.CutPrefix(strings.TrimSuffix(f.startLine, " HTTP/1.1"), "POST ")
		if !ok {
			return f, fmt.Errorf("first line %q", f.startLine)
		}
		path, query, _ := strings.Cut(target, "?")
		f.method = path
		for key, value := range parseQuery(query) {
			f.meta[key] = value[0]
		}
	}
	return f, err
}

// parseQuery decodes it properly, which DMicro does not (W7).
func parseQuery(query string) url.Values {
	values, err := url.ParseQuery(query)
	if err != nil {
		fail("query %q: %v", query, err)
	}
	return values
}

func (f *frame) setHeader(name, value string) error {
	number := func() int64 {
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			fail("header %s: %s", name, value)
		}
		return n
	}
	switch name {
	case "X-Seq":
		f.seq = int32(number())
	case "X-Mtype":
		f.mtype = byte(number())
	case "Content-Type":
		kind, _, _ := strings.Cut(value, ";")
		f.codec = codecOfType[kind]
	case "X-Content-Encoding":
		if value != "gzip" {
			return fmt.Errorf("filter %q", value)
		}
		f.filters = append(f.filters, 'z')
	}
	if !notMeta[name] {
		f.meta[name] = value
	}
	return nil
}
