package main

import (
	"fmt"

	"github.com/osgochina/dmicro/drpc"
)

// Call calls back the session that called it.
type Call struct{ drpc.CallCtx }

// Back asks the caller to double n. A failure there is passed on as it came.
func (c *Call) Back(n *int) (int, *drpc.Status) {
	var doubled int
	stat := callWithin(c.Session(), "/client/double", *n, &doubled).Status()
	return doubled, stat
}

// Push pushes to the session that called it.
type Push struct{ drpc.CallCtx }

// Back pushes n notes, "note 1" to "note n", and returns n.
func (p *Push) Back(n *int) (int, *drpc.Status) {
	for i := 1; i <= *n; i++ {
		if stat := p.Session().Push("/client/note", fmt.Sprintf("note %d", i)); !stat.OK() {
			return 0, stat
		}
	}
	return *n, nil
}

// Client is what a caller offers to be called back on.
type Client struct{ drpc.CallCtx }

// Double is the route behind /call/back.
func (c *Client) Double(n *int) (int, *drpc.Status) { return *n * 2, nil }
