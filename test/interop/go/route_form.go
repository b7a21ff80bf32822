package main

import (
	"net/url"

	"github.com/osgochina/dmicro/drpc"
)

// Form returns its argument, in the two kinds of value that DMicro's form codec knows.
type Form struct{ drpc.CallCtx }

// Person is what a struct looks like as a form. DMicro writes the tags last to first.
type Person struct {
	Name  string   `form:"name"`
	Age   int      `form:"age"`
	Score float64  `form:"score"`
	Admin bool     `form:"admin"`
	Tags  []string `form:"tags"`
}

// Values keeps every parameter and the order of those of one key.
func (f *Form) Values(v *url.Values) (url.Values, *drpc.Status) { return *v, nil }

// Person goes through a struct.
func (f *Form) Person(p *Person) (*Person, *drpc.Status) { return p, nil }
