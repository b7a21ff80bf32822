package main

import (
	"sync"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec/redis_codec"
)

// Redis answers commands; each method shows one kind of RESP reply.
type Redis struct{ drpc.CallCtx }

var store sync.Map

// Ping is a simple string.
func (r *Redis) Ping(*[][]byte) (any, *drpc.Status) { return redis_codec.MakeSuccessMsg("PONG"), nil }

// Set takes a key and a value.
func (r *Redis) Set(args *[][]byte) (any, *drpc.Status) {
	if len(*args) != 2 {
		return nil, drpc.NewStatus(1001, "ERR wrong number of arguments for 'set' command")
	}
	store.Store(string((*args)[0]), (*args)[1])
	return redis_codec.MakeSuccessMsg("OK"), nil
}

// Get is a bulk, or null where there is no such key.
func (r *Redis) Get(args *[][]byte) (any, *drpc.Status) {
	if len(*args) == 1 {
		if value, ok := store.Load(string((*args)[0])); ok {
			return redis_codec.MakeBulkMsg(value.([]byte)), nil
		}
	}
	return redis_codec.MakeNullBulkMsg(), nil
}

// Echo is a bulk. DMicro writes an empty one without its line end.
func (r *Redis) Echo(args *[][]byte) (any, *drpc.Status) {
	return redis_codec.MakeBulkMsg((*args)[0]), nil
}

// Strlen is an integer.
func (r *Redis) Strlen(args *[][]byte) (any, *drpc.Status) {
	return redis_codec.MakeNumberMsg(int64(len((*args)[0]))), nil
}

// List is an array of the arguments; without any, DMicro has a type of its own.
func (r *Redis) List(args *[][]byte) (any, *drpc.Status) {
	if len(*args) == 0 {
		return &redis_codec.EmptyMultiBulkMsg{}, nil
	}
	return redis_codec.MakeMultiBulkMsg(*args), nil
}

// Wrong is an error in the result, which is not a status.
func (r *Redis) Wrong(*[][]byte) (any, *drpc.Status) {
	return redis_codec.MakeErrorMsg("WRONGTYPE not a list"), nil
}

func registerRedisRoutes(e drpc.Endpoint) {
	expectNames(e.RouteCall(new(Redis)), "/redis/echo", "/redis/get", "/redis/list", "/redis/ping",
		"/redis/set", "/redis/strlen", "/redis/wrong")
}
