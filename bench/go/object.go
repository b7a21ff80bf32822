package main

import (
	"slices"

	"bench-peer/echoobject"
	"bench-peer/objectpb"
)

// newObject is the object of one caller, 64 bytes as JSON; text and number differ, so that a server that mixes up calls
// is found out.
func newObject(caller int) *echoobject.Object {
	const leastID, ids = 20_000, 80_000
	// As JSON gives them, so that they compare equal to what comes back.
	list := []any{1.0, []any{2.0}}
	return &echoobject.Object{ID: leastID + caller%ids, Text: lettersOf(caller), List: list, OK: true, F: 0.25}
}

// lettersOf is eight letters that no two callers share.
func lettersOf(caller int) string {
	letters := make([]byte, 8)
	for i := range letters {
		letters[i] = 'A' + byte(caller>>(4*i)&15)
	}
	return string(letters)
}

func sameObject(a, b *echoobject.Object) bool {
	return a.ID == b.ID && a.Text == b.Text && a.OK == b.OK && a.F == b.F && sameList(a.List, b.List)
}

func sameList(a, b []any) bool {
	return slices.EqualFunc(a, b, func(x, y any) bool {
		inner, isList := x.([]any)
		other, isOther := y.([]any)
		if isList || isOther {
			return isList && isOther && sameList(inner, other)
		}
		return x == y
	})
}

// newObjectMessage is the same as a Protobuf message.
func newObjectMessage(caller int) *objectpb.Object {
	o := newObject(caller)
	list := &objectpb.List{Numbers: []int32{1}, Lists: []*objectpb.List{{Numbers: []int32{2}}}}
	return &objectpb.Object{Id: int32(o.ID), Text: o.Text, List: list, Ok: o.OK, F: o.F}
}

func sameObjectMessage(a, b *objectpb.Object) bool {
	return a.Id == b.Id && a.Text == b.Text && a.Ok == b.Ok && a.F == b.F && sameMessageList(a.List, b.List)
}

func sameMessageList(a, b *objectpb.List) bool {
	return slices.Equal(a.GetNumbers(), b.GetNumbers()) && slices.EqualFunc(a.GetLists(), b.GetLists(), sameMessageList)
}
