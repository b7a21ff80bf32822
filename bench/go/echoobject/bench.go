// Package echoobject is DMicro's route /bench/echo for an Object (see echotext for why it is a package).
package echoobject

import "github.com/osgochina/dmicro/drpc"

// Object is the object of bench/payloads.mjs; its JSON has the fields in this order. A list of lists has no type in Go
// but []any.
type Object struct {
	ID   int     `json:"id"`
	Text string  `json:"text"`
	List []any   `json:"list"`
	OK   bool    `json:"ok"`
	F    float64 `json:"f"`
}

// Bench is the controller of /bench/echo.
type Bench struct{ drpc.CallCtx }

// Echo answers with its argument, decoded and encoded again.
func (b *Bench) Echo(object *Object) (*Object, *drpc.Status) { return object, nil }
