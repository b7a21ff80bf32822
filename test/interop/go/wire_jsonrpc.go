package main

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"

	"github.com/osgochina/dmicro/drpc"
)

// readLine reads up to and including a line feed.
func readLine(in io.Reader) ([]byte, error) {
	var line []byte
	one := make([]byte, 1)
	for {
		if _, err := io.ReadFull(in, one); err != nil {
			return nil, err
		}
		if line = append(line, one[0]); one[0] == '\n' {
			return line, nil
		}
	}
}

// decodeJSONRPC takes exactly one line. Its body is the text of params or of result.
func decodeJSONRPC(b []byte) (f frame, err error) {
	line, ok := bytes.CutSuffix(b, []byte("\r\n"))
	if !ok {
		return f, errShort
	}
	var object struct {
		ID             int32
		Method         string
		Params, Result json.RawMessage
		Context        json.RawMessage
		Error          *struct {
			Code    int32
			Message string
		}
	}
	if err := json.Unmarshal(line, &object); err != nil {
		return f, err
	}
	f.size = uint32(len(line) + 1) // DMicro counts the carriage return and not the line feed
	f.seq, f.method, f.codec, f.metaText = object.ID, object.Method, 'j', string(object.Context)
	switch {
	case object.Method != "":
		f.mtype, f.body = drpc.TypeCall, slices.Clone(object.Params)
	case object.Error != nil:
		f.mtype, f.status = drpc.TypeReply, Failure{Code: object.Error.Code, Msg: object.Error.Message}
	default:
		f.mtype, f.body = drpc.TypeReply, slices.Clone(object.Result)
	}
	return f, f.decodeMeta()
}
