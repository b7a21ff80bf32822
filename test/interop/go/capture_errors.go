package main

import (
	"net"
	"strconv"

	"github.com/osgochina/dmicro/drpc"
)

// Odd offers failures that JSON arguments cannot describe: its argument is taken byte for byte.
type Odd struct{ drpc.CallCtx }

// Panic panics with the bytes as text.
func (o *Odd) Panic(text *[]byte) (any, *drpc.Status) { panic(oddText(*text)) }

// Nil panics the way real handlers do.
func (o *Odd) Nil(*[]byte) (any, *drpc.Status) {
	var none *Failure
	return none.Msg, nil
}

// Fail fails with the bytes as message and as cause, after setting meta on the reply.
func (o *Odd) Fail(text *[]byte) (any, *drpc.Status) {
	o.SetMeta("retry", "no")
	return nil, drpc.NewStatus(1001, oddText(*text), oddText(*text))
}

// oddText is what a name stands for: json cannot ask for these texts, only answer with them.
func oddText(name []byte) string {
	if text, ok := oddTexts[string(name)]; ok {
		return text
	}
	return string(name)
}

// Text answers a tame question with awkward text, for the protocols in which Go cannot ask it.
func (o *Odd) Text(*[]byte) (string, *drpc.Status) { return awkward, nil }

// Gzip adds a filter to the reply only.
func (o *Odd) Gzip(text *string) (string, *drpc.Status) {
	o.AddTFilterId('z')
	return *text, nil
}

const okStatus = `{"code":0,"msg":"","cause":""}`

// hand sends a frame of our own making and keeps Go's answer. A Go client cannot read several of these
// answers, so where frames are not made by hand each call gets a client of its own.
func hand(rec *recorder, name string, addr string, f frame) {
	if !rec.proto.is("raw") {
		if f.codec == 'j' { // the client never sends the other ids
			newLine(rec).call("", name, f.method, f.body)
		}
		return
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		fail("%v", err)
	}
	defer conn.Close()
	if f.mtype == 0 {
		f.mtype = drpc.TypeCall
	}
	if f.seq == 0 {
		f.seq = 1
	}
	f.statusText, f.metaText = okStatus, "{}"
	if _, err := conn.Write(f.encode()); err != nil {
		fail("%s: %v", name, err)
	}
	reply, err := rec.proto.read(conn)
	if err != nil {
		fail("%s: %v", name, err)
	}
	rec.keep(name, "socket", reply)
}

func captureErrors(rec *recorder) {
	l := newLine(rec)
	l.call("call-unknown-route", "reply-404", "/no/such/route", nil)
	l.call("call-wrong-type", "reply-400-wrong-type", "/math/add", "not a list")
	l.call("call-status-panic", "reply-500-panic", "/status/panic", "boom")
	l.call("call-unsupported-reply", "reply-500-unsupported-reply", "/meta/echo", map[string]string{}, drpc.WithAcceptBodyCodec('s'))

	addr := captureServer(rec.proto)
	hand(rec, "reply-400-cut-json", addr, frame{method: "/echo/any", codec: 'j', body: []byte(`{"cut":`)})
	hand(rec, "reply-400-unknown-codec", addr, frame{method: "/echo/any", codec: 200, body: []byte("x")})
	hand(rec, "reply-500-codec-0", addr, frame{method: "/math/add", codec: 0})
	hand(rec, "reply-500-nil-pointer", addr, frame{method: "/odd/nil", codec: 'j'})
	for name, text := range sorted(oddTexts) {
		hand(rec, "reply-500-panic-"+name, addr, frame{method: "/odd/panic", codec: 'j', body: []byte(oddArgument(rec, name, text))})
		hand(rec, "reply-1001-"+name, addr, frame{method: "/odd/fail", codec: 'j', body: []byte(oddArgument(rec, name, text))})
	}
}

// oddArgument is the text itself where the protocol carries any bytes.
func oddArgument(rec *recorder, name, text string) string {
	if rec.proto.is("json") {
		return name
	}
	return text
}

// oddTexts are one for each row of the quoting table, and what terminals and users really produce.
var oddTexts = map[string]string{
	"quotes":         `say "hi" \ it's <b>&</b> /`,
	"newlines":       "one\ntwo\r\n\tthree\b\f",
	"bel":            "ring\a\v",
	"escape":         "\x1b[31mred\x1b[0m",
	"c0-and-del":     "\x00\x01\x1f\x7f",
	"invisible":      "a\u00a0b\u200bc\ufeffd\u2028e\u2029f\u00ad",
	"c1":             "\u0080\u0085\u009f",
	"cjk":            "错误：世界",
	"emoji":          "😀👩‍👩‍👧 🇩🇪",
	"above-bmp":      "\U000e0001\U0010ffff",
	"invalid-utf8":   "\xff\xfe-\x80",
	"private-use":    "\ue000\ufffd",
	"everything":     "\"\\\n\x1b\a\x7f\u00a0\u2028😀世\xff\U000e0001",
	"looks-like-end": `","cause":"x"}`,
}

func captureStatuses(rec *recorder) {
	l := newLine(rec)
	for name, f := range sorted(map[string]Failure{
		"1001":          {1001, "refused", "because"},
		"no-cause":      {1002, "alone", ""},
		"no-message":    {1003, "", "only a cause"},
		"negative":      {-7, "below zero", "x"},
		"minus-1":       {-1, "Unknown Error", ""},
		"max":           {2147483647, "highest", "x"},
		"min":           {-2147483648, "lowest", "x"},
		"long":          {1004, pattern(4096), "x"},
		"only-a-number": {1005, "", ""},
	}) {
		l.call("", "reply-status-"+name, "/status/fail", f, drpc.WithSetMeta("case", strconv.Itoa(int(f.Code))))
	}
}
