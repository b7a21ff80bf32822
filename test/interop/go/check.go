package main

import "github.com/osgochina/dmicro/drpc"

// check is one named fact about the server at the other end.
type check struct {
	name string
	// row is where the compatibility page counts it; several checks may share one.
	row string
	run func(sess drpc.Session) error
	// not has the protocols whose Go client cannot do this whoever the server is, with the reason.
	not except
	// goFails has the protocols in which Go's own server does not pass, with the reason.
	goFails except
}

// except maps protocol names to reasons. A reason starts with the entry of docs/spec/go-defects.md
// (W1), or with "absent" where DMicro does not offer the thing.
type except map[string]string

// every is the key that stands for all protocols.
const every = "*"

func (e except) reason(p *protocol) string {
	if reason, ok := e[p.name]; ok {
		return reason
	}
	return e[every]
}

// skipped returns why a check does not run, "" when it does.
func (c check) skipped(p *protocol, peerIsGo bool) string {
	if reason := c.not.reason(p); reason != "" || !peerIsGo {
		return reason
	}
	return c.goFails.reason(p)
}

// allChecks is in order; one session runs them all, so each also proves that the one before
// left the session usable. Closing comes last.
func allChecks() []check {
	var all []check
	all = append(all, bodyChecks...)
	all = append(all, protoChecks...)
	all = append(all, formChecks...)
	all = append(all, xmlChecks...)
	all = append(all, statusChecks...)
	all = append(all, metaChecks...)
	all = append(all, codecChecks()...)
	all = append(all, filterChecks...)
	all = append(all, peerChecks...)
	all = append(all, loadChecks...)
	return append(all, check{name: "close", row: "closing", run: closeSession})
}

// Reasons that several checks share.
const (
	noPush    = "absent: no PUSH"
	noFilters = "absent: no filters"
	onlyGzip  = "absent: only gzip"
	onlyJSON  = "absent: only the codec json"
	noAccept  = "absent: no codec on the wire"
	w1        = "W1: only quotes are escaped in a body"
	w1Bytes   = "W1: bytes that are no UTF-8 are lost"
	w2        = "W2: Go cannot read the status it writes"
	w5        = "W5: meta names are rewritten, and headers of the protocol are meta"
	w10       = "W10: Go reads a string again as JSON, YAML or TOML, and numbers as float64"
	w10Bytes  = "W10: a byte slice is base64 in the envelope"
	w10Cause  = "W10: the cause is not transmitted"
	errorBody = "absent: an error is a body of json"
)

var (
	pushOnly       = except{"http": noPush, "jsonrpc": noPush}
	noRoute        = except{"http": "W7: a request line without a target is no HTTP", "jsonrpc": "absent: an object without a method is a reply"}
	allFiltersOnly = except{"http": onlyGzip, "jsonrpc": noFilters}
)
