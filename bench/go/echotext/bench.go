// Package echotext is DMicro's route /bench/echo for a string. A package of its own, because DMicro makes the
// route's name from that of the type.
package echotext

import "github.com/osgochina/dmicro/drpc"

// Bench is the controller of /bench/echo.
type Bench struct{ drpc.CallCtx }

// Echo answers with its argument, decoded and encoded again.
func (b *Bench) Echo(text *string) (string, *drpc.Status) { return *text, nil }
