package main

import (
	"fmt"
	"reflect"
)

// expectEqual says what differs; long values are cut, a megabyte helps nobody.
func expectEqual(what string, got, want any) error {
	if reflect.DeepEqual(got, want) {
		return nil
	}
	return fmt.Errorf("%s is %s, want %s", what, brief(got), brief(want))
}

func brief(v any) string {
	text := fmt.Sprintf("%#v", v)
	if len(text) > 200 {
		return fmt.Sprintf("%s... (%d bytes)", text[:200], len(text))
	}
	return text
}

// expectOK fails on any status but 0.
func expectOK(r reply) error {
	if r.stat.OK() {
		return nil
	}
	return fmt.Errorf("status %s", r.stat)
}

// expectStatus compares code and message.
func expectStatus(r reply, code int32, msg string) error {
	if err := expectEqual("code", r.stat.Code(), code); err != nil {
		return err
	}
	return expectEqual("msg", r.stat.Msg(), msg)
}

// expectCause compares the cause text.
func expectCause(r reply, cause string) error {
	got := ""
	if err := r.stat.Cause(); err != nil {
		got = err.Error()
	}
	return expectEqual("cause", got, cause)
}

// firstError runs steps in order and stops at the first that fails.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
