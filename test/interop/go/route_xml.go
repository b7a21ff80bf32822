package main

import (
	"encoding/xml"

	"github.com/osgochina/dmicro/drpc"
)

// Xml returns its argument, in the types that encoding/xml can decode into.
type Xml struct{ drpc.CallCtx }

// Order has one of each thing that XML offers.
type Order struct {
	XMLName xml.Name `xml:"order"`
	ID      int      `xml:"id,attr"`
	Items   []Item   `xml:"item"`
	Note    string   `xml:"to>note"`
	Paid    bool     `xml:"paid"`
}

// Item has text beside an attribute.
type Item struct {
	Price float64 `xml:"price,attr"`
	Name  string  `xml:",chardata"`
}

// Order goes through a struct.
func (x *Xml) Order(o *Order) (*Order, *drpc.Status) { return o, nil }

// Int is a bare number.
func (x *Xml) Int(n *int) (int, *drpc.Status) { return *n, nil }

// Float is a bare number too.
func (x *Xml) Float(n *float64) (float64, *drpc.Status) { return *n, nil }

// Bool is a bare bool.
func (x *Xml) Bool(b *bool) (bool, *drpc.Status) { return *b, nil }
