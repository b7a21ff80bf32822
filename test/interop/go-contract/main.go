// dmicro-interop-contract uses clients and servers that dmctl has made of contracts, with the real Go DMicro.
//
//	dmicro-interop-contract client ADDRESS   calls the service shapes of a server, and prints what it found as JSON
//	dmicro-interop-contract shop ADDRESS     buys in the shop of examples/contract
//	dmicro-interop-contract server           serves shapes, and prints its address
package main

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"dmicro-interop-contract/shapes"
	"dmicro-interop-contract/shop"

	"github.com/gogf/gf/v2/os/glog"
	"github.com/osgochina/dmicro/drpc"
)

// limit ends the whole run: a call that hangs must not hang the test that started us.
const limit = 30 * time.Second

func main() {
	glog.SetStdoutPrint(false)
	time.AfterFunc(limit, func() { os.Exit(3) })
	switch os.Args[1] {
	case "client":
		callShapes(os.Args[2])
	case "shop":
		buy(os.Args[2])
	case "server":
		serve()
	}
}

func dial(endpoint drpc.Endpoint, address string) drpc.Session {
	session, stat := endpoint.Dial(address)
	if !stat.OK() {
		panic(stat.String())
	}
	return session
}

func show(found any) {
	_ = json.NewEncoder(os.Stdout).Encode(found)
}

// peer serves what servers call of their clients.
type peer struct{ told chan string }

func (p *peer) Ask(_ drpc.CallCtx, arg string) (string, *drpc.Status) {
	return "asked " + arg, nil
}

func (p *peer) Told(_ drpc.PushCtx, arg *shapes.ShapesToClientToldArgument) *drpc.Status {
	p.told <- arg.Text
	return nil
}

func callShapes(address string) {
	endpoint := drpc.NewEndpoint(drpc.EndpointConfig{})
	client := &peer{told: make(chan string, 1)}
	shapes.RegisterShapesToClient(endpoint, client)
	calls := shapes.NewShapesClient(dial(endpoint, address))
	found := map[string]any{}
	var fails []string
	check := func(name string, value any, stat *drpc.Status) {
		if !stat.OK() {
			fails = append(fails, name+": "+stat.String())
		}
		found[name] = value
	}
	maybe := "here"
	text, number, auto := "text", 1.5, shapes.AllWordAuto
	bought := shapes.Event{Bought: &shapes.Bought{}}
	all := shapes.All{
		Type: "go", Count: 1<<53 - 1, Ratio: 0.25, Small: -1, Yes: true, Bytes: []byte{1, 2, 3}, Kind: shapes.AllKindOld, Maybe: &maybe,
		Either: shapes.AllEither{String: &text}, WithSpace: 3, Pair: shapes.AllPair{Item1: "a", Item2: 1}, Few: []string{},
		Event: bought, Word: &auto, Range: shapes.AllRange{Item1: 2}, Outcome: &shapes.AllOutcome{OkTrue: &shapes.AllOutcomeOkTrue{N: 3}},
		Json: &shapes.Json{List: []*shapes.Json{nil, {Number: &number}, {Object: map[string]*shapes.Json{}}}},
	}
	echoed, stat := calls.Echo(&all)
	check("echo", echoed, stat)
	many := all
	many.Type, many.List = "many", make([]string, 4)
	_, stat = calls.Echo(&many)
	details, ok := shapes.AsTooMany(stat)
	check("too many", map[string]any{"ok": ok, "closed": shapes.AsClosed(stat), "details": details, "code": stat.Code(), "message": stat.Msg()}, nil)
	tree, stat := calls.Func(&shapes.Tree{Name: "a", Children: []shapes.Tree{{Name: "b"}}})
	check("tree", tree, stat)
	lengths, stat := calls.Lengths([]string{"a", "bcd"})
	check("lengths", lengths, stat)
	lengths, stat = calls.Lengths(nil)
	check("no lengths", lengths, stat)
	null, stat := calls.Null(nil)
	check("null", null, stat)
	null, stat = calls.Null(&maybe)
	check("not null", null, stat)
	yes, stat := calls.Session("x")
	check("session", yes, stat)
	numbers, stat := calls.GetAll()
	check("get all", numbers, stat)
	check("iP", nil, calls.OutputIP())
	note := ""
	point, stat := calls.OutputPoint(&shapes.Point{X: -5, Near: []*shapes.Point{{X: 1}}, Names: map[string]string{"a": "b"}, Note: &note, Kind: 1, Kinds: []int32{1, 0}, Parts: []float64{0.5}})
	check("point", point, stat)
	raw, stat := calls.OutputRaw(&shapes.Raw{A: []byte{}})
	check("raw", raw, stat)
	raw, stat = calls.OutputRaw(&shapes.Raw{})
	check("no raw", raw, stat)
	zero, one, no, name := int32(0), int32(1), false, "x"
	old, stat := calls.OutputOld(&shapes.Old{Name: &note, Count: &zero, Box: &shapes.Box{Inside: []byte{}}, Part: []*shapes.Part{{N: &one}, {N: &zero}}, Ns: []int32{1, 2}})
	check("old", old, stat)
	old, stat = calls.OutputOld(&shapes.Old{Name: &name, No: &no})
	check("less old", old, stat)
	check("note", nil, calls.OutputNote(&shapes.Point{X: 3}))
	check("push", nil, calls.AB(&shapes.ShapesABArgument{Text: "from Go"}))
	pair, stat := calls.Either(&shapes.ShapesEitherArgument{Number: &number})
	check("either", pair, stat)
	sold := shapes.Event{Sold: &shapes.EventSold{Type: shapes.EventSoldTypeSoldOut, Count: 2}}
	event, stat := calls.Happened(&sold)
	check("happened", event, stat)
	event, stat = calls.Happened(&bought)
	check("not happened", event, stat)
	_, stat = calls.Happened(&shapes.Event{})
	check("nothing", map[string]any{"code": stat.Code(), "cause": stat.Cause().Error()}, nil)
	back, stat := calls.Back("me")
	check("back", back, stat)
	check("told", <-client.told, nil)
	show(map[string]any{"found": found, "fails": fails})
}

func buy(address string) {
	endpoint := drpc.NewEndpoint(drpc.EndpointConfig{})
	told := make(chan *shop.Order, 1)
	shop.RegisterShopToClient(endpoint, watcher{told})
	client := shop.NewShopClient(dial(endpoint, address))
	must := func(stat *drpc.Status) {
		if !stat.OK() {
			panic(stat.String())
		}
	}
	must(client.Watch(&shop.ShopWatchArgument{Orders: true}))
	items, stat := client.ItemsList()
	must(stat)
	cart, stat := client.CartsCreate()
	must(stat)
	_, stat = client.CartsPut(&shop.ShopCartsPutArgument{Id: cart.Id, Line: shop.Line{Item: 1, Count: 2}})
	must(stat)
	_, stat = client.CartsPut(&shop.ShopCartsPutArgument{Id: cart.Id, Line: shop.Line{Item: 2, Count: 5}})
	short, ok := shop.AsOutOfStock(stat)
	order, stat := client.OrdersPlace(&shop.ShopOrdersPlaceArgument{Cart: cart.Id, User: 1})
	must(stat)
	_, stat = client.OrdersSend(&shop.Id{Id: order.Id})
	state, isWrong := shop.AsWrongState(stat)
	show(map[string]any{
		"items": len(items), "out of stock": ok, "left": short.Left, "total": order.Total, "lines": order.Lines,
		"told": (<-told).Id == order.Id, "wrong state": isWrong, "state": state.State,
	})
}

type watcher struct{ told chan *shop.Order }

func (w watcher) Ordered(_ drpc.PushCtx, arg *shop.Order) *drpc.Status {
	w.told <- arg
	return nil
}

// answers serves shapes.
type answers struct{ pushed chan string }

func (a *answers) Echo(_ drpc.CallCtx, arg *shapes.All) (*shapes.All, *drpc.Status) {
	if len(arg.List) > 3 {
		return nil, shapes.TooMany(shapes.TooManyDetails{Max: 3})
	}
	if arg.Type == "closed" {
		return nil, shapes.Closed()
	}
	return arg, nil
}

func (a *answers) Func(_ drpc.CallCtx, arg *shapes.Tree) (*shapes.Tree, *drpc.Status) {
	return arg, nil
}

func (a *answers) Lengths(_ drpc.CallCtx, arg []string) ([]float64, *drpc.Status) {
	var lengths []float64
	for _, text := range arg {
		lengths = append(lengths, float64(len(text)))
	}
	return lengths, nil
}

func (a *answers) Null(_ drpc.CallCtx, arg *string) (*shapes.ShapesNullResult, *drpc.Status) {
	if arg == nil {
		return nil, nil
	}
	return &shapes.ShapesNullResult{A: *arg}, nil
}

func (a *answers) Session(_ drpc.CallCtx, arg string) (bool, *drpc.Status) {
	return arg == "x", nil
}

func (a *answers) GetAll(drpc.CallCtx) (map[string]float64, *drpc.Status) {
	return nil, nil
}

func (a *answers) AB(_ drpc.PushCtx, arg *shapes.ShapesABArgument) *drpc.Status {
	a.pushed <- arg.Text
	return nil
}

func (a *answers) OutputIP(drpc.CallCtx) *drpc.Status { return nil }

func (a *answers) OutputPoint(_ drpc.CallCtx, arg *shapes.Point) (*shapes.Point, *drpc.Status) {
	return arg, nil
}

func (a *answers) OutputRaw(_ drpc.CallCtx, arg *shapes.Raw) (*shapes.Raw, *drpc.Status) {
	return arg, nil
}

func (a *answers) OutputOld(_ drpc.CallCtx, arg *shapes.Old) (*shapes.Old, *drpc.Status) {
	return arg, nil
}

func (a *answers) OutputNote(_ drpc.PushCtx, arg *shapes.Point) *drpc.Status {
	a.pushed <- arg.String()
	return nil
}

func (a *answers) Either(_ drpc.CallCtx, arg *shapes.ShapesEitherArgument) (*shapes.ShapesEitherResult, *drpc.Status) {
	if arg.String != nil {
		return &shapes.ShapesEitherResult{Item1: *arg.String, Item2: 1}, nil
	}
	return &shapes.ShapesEitherResult{Item1: "number", Item2: *arg.Number}, nil
}

func (a *answers) Happened(_ drpc.CallCtx, arg *shapes.Event) (*shapes.Event, *drpc.Status) {
	if arg.Sold != nil {
		return nil, nil
	}
	return arg, nil
}

func (a *answers) Back(ctx drpc.CallCtx, arg string) (string, *drpc.Status) {
	if arg == "pushed" {
		return strings.Join([]string{<-a.pushed, <-a.pushed}, ", "), nil
	}
	// A context's session calls as any other.
	client := shapes.NewShapesToClientClient(ctx.Session())
	if stat := client.Told(&shapes.ShapesToClientToldArgument{Text: arg}); !stat.OK() {
		return "", stat
	}
	return client.Ask(arg)
}

// announcer prints where the server listens, which only the listener knows when the port is 0.
type announcer struct{}

func (announcer) Name() string { return "announcer" }

func (announcer) AfterListen(addr net.Addr) error {
	show(addr.String())
	return nil
}

func serve() {
	endpoint := drpc.NewEndpoint(drpc.EndpointConfig{Network: "tcp", ListenIP: "127.0.0.1", ListenPort: 0}, announcer{})
	shapes.RegisterShapes(endpoint, &answers{pushed: make(chan string, 2)})
	go func() { _ = endpoint.ListenAndServe() }()
	// The parent holds our stdin: when it dies, so do we.
	_, _ = io.Copy(io.Discard, os.Stdin)
}
