package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

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
