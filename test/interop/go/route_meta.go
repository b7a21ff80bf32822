package main

import (
	"strconv"

	"github.com/osgochina/dmicro/drpc"
)

// replyCountKey is the meta key that every /meta/echo reply carries.
const replyCountKey = "echo-count"

// Meta shows the meta of a call and answers with meta of its own.
type Meta struct{ drpc.CallCtx }

// Echo returns the call's meta, sets echo-count to the number of its keys and,
// beyond that, whatever the argument asks for.
func (m *Meta) Echo(set *map[string]string) (map[string]any, *drpc.Status) {
	seen := map[string]any{}
	m.VisitMeta(func(key, value any) bool {
		seen[key.(string)] = value
		return true
	})
	m.SetMeta(replyCountKey, strconv.Itoa(len(seen)))
	for key, value := range *set {
		m.SetMeta(key, value)
	}
	return seen, nil
}
