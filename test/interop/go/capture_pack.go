package main

import (
	"bytes"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/drpc/codec"
	"github.com/osgochina/dmicro/drpc/message"
)

// capturePacked covers what a session never sends but the packer can write.
func capturePacked(rec *recorder) {
	if rec.proto.is("http") {
		return // it refuses all other types
	}
	pack(rec, "pack-type-0-everything-empty")
	pack(rec, "pack-type-255", message.WithMType(255), message.WithBodyCodec(codec.JsonName))
	pack(rec, "pack-reply-with-method", message.WithMType(drpc.TypeReply), message.WithServiceMethod("/kept"),
		message.WithBodyCodec(codec.PlainName), message.WithBody("x"))
}

func pack(rec *recorder, name string, settings ...message.MsgSetting) {
	var out bytes.Buffer
	if err := rec.proto.proto()(&out).Pack(message.NewMessage(settings...)); err != nil {
		fail("%s: %v", name, err)
	}
	rec.keep(name, "pack", out.Bytes())
}
