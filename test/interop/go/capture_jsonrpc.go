package main

import (
	"strings"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/message"
)

// captureJSONRPC has a client for each line that DMicro may fail to read back.
func captureJSONRPC(rec *recorder) {
	call := func(name, method string, arg any, settings ...message.MsgSetting) {
		newLine(rec).call("call-"+name, "reply-"+name, method, arg, settings...)
	}
	call("math-add", "/math/add", []int{1, 2, 3, 4, 5}, drpc.WithSetMeta("author", "osgochina"))
	call("empty-body", "/echo/any", nil)
	call("empty-text", "/echo/text", "")
	call("text", "/echo/text", tame)
	call("awkward-text", "/echo/text", awkward)
	call("html", "/echo/text", "<b>&</b>\u2028")
	call("text-of-digits", "/echo/text", "123")
	call("text-of-json", "/echo/text", `{"a":1}`)
	call("text-of-yaml", "/echo/text", "a: b")
	call("object", "/echo/any", map[string]any{"b": []any{1, -2.5, true, nil}, "a": map[string]any{"": "<&>"}, "ü": "世界"})
	call("list", "/echo/any", []any{})
	call("false", "/echo/any", false)
	call("beyond-2-53", "/echo/any", int64(9007199254740993))
	call("1e21", "/echo/any", 1e21)
	call("bytes", "/echo/bytes", []byte{0, 1, 0xff})
	call("4-kib", "/echo/text", strings.Repeat("0123456789abcdef", 256))
	call("meta", "/meta/echo", map[string]string{"answer": "<&> 世界 😀", "empty": ""},
		drpc.WithSetMeta("text", awkward), drpc.WithSetMeta("ключ", "\a\x00\x7f"))
	call("filters-ignored", "/math/add", []int{1}, drpc.WithTFilterPipe('z', '5'))
	call("404", "/no/such/route", nil)
	call("400-wrong-type", "/math/add", "not a list")
	call("500-panic", "/status/panic", "boom")
	for name, f := range sorted(map[string]Failure{
		"1001": {1001, "refused", "because"}, "no-message": {1003, "", "only a cause"}, "negative": {-7, "below zero", "x"},
		"max": {2147483647, "highest", ""}, "min": {-2147483648, "lowest", ""}, "only-a-number": {1005, "", ""},
	}) {
		call("status-"+name, "/status/fail", f, drpc.WithSetMeta("case", name))
	}
	for name, text := range sorted(oddTexts) {
		call("error-"+name, "/status/fail", Failure{1001, text, text})
	}
	captureSeqs(rec)
}
