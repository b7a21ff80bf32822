package main

import (
	"crypto/tls"
	"fmt"

	"bench-peer/echoobject"

	"github.com/osgochina/dmicro/drpc"
	"github.com/osgochina/dmicro/tests/benchmark"
)

func dialDMicro(o clientOptions) dialer {
	quiet()
	endpoint := drpc.NewEndpoint(drpc.EndpointConfig{Network: o.network, LocalIP: o.host, DefaultBodyCodec: o.payload.codec})
	if o.network == "quic" {
		// DMicro has no option for roots of its own.
		endpoint.SetTLSConfig(&tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1", "h2"}})
	}
	return func() (newCaller, error) {
		session, status := endpoint.Dial(o.address)
		if !status.OK() {
			return nil, fmt.Errorf("dial %s: %s", o.address, status)
		}
		return func(caller int) func() error {
			switch o.payload.shape {
			case anObject:
				return objectOverDMicro(session, newObject(caller))
			case aMessage:
				return messageOverDMicro(session)
			default:
				return textOverDMicro(session, o.payload.textOf(caller))
			}
		}, nil
	}
}

func textOverDMicro(session drpc.Session, sent string) func() error {
	return func() error {
		var reply string
		call := session.Call(dmicroRoute, sent, &reply)
		if !call.StatusOK() {
			return fmt.Errorf("call: %s", call.Status())
		}
		if reply != sent {
			return fmt.Errorf("wrong reply %q, sent %q", reply, sent)
		}
		return nil
	}
}

func objectOverDMicro(session drpc.Session, sent *echoobject.Object) func() error {
	return func() error {
		var reply echoobject.Object
		call := session.Call(dmicroRoute, sent, &reply)
		if !call.StatusOK() {
			return fmt.Errorf("call: %s", call.Status())
		}
		if !sameObject(&reply, sent) {
			return fmt.Errorf("wrong reply %v, sent %v", reply, sent)
		}
		return nil
	}
}

func messageOverDMicro(session drpc.Session) func() error {
	sent := newMessage()
	return func() error {
		var reply benchmark.BenchmarkMessage
		call := session.Call(dmicroRoute, sent, &reply)
		if !call.StatusOK() {
			return fmt.Errorf("call: %s", call.Status())
		}
		if !sameMessage(&reply, sent) {
			return fmt.Errorf("wrong reply %v", &reply)
		}
		return nil
	}
}
