package main

import "github.com/osgochina/dmicro/drpc"

// registerServerRoutes offers every route of the interop set. Each line also states the name
// DMicro's default mapper must give it, so that a change of the mapper stops us at once.
func registerServerRoutes(e drpc.Endpoint) {
	expectNames(e.RouteCall(new(Math)), "/math/add")
	expectNames(e.RouteCall(new(Echo)), "/echo/any", "/echo/bytes", "/echo/text")
	expectNames(e.RouteCall(new(Proto)), "/proto/echo", "/proto/same")
	expectNames(e.RouteCall(new(Form)), "/form/person", "/form/values")
	expectNames(e.RouteCall(new(Xml)), "/xml/bool", "/xml/float", "/xml/int", "/xml/order")
	expectNames(e.RouteCall(new(Status)), "/status/fail", "/status/panic")
	expectNames(e.RouteCall(new(Meta)), "/meta/echo")
	expectNames(e.RouteCall(new(Call)), "/call/back")
	expectNames(e.RouteCall(new(Push)), "/push/back")
	expectNames(e.RouteCall(new(Trace)), "/trace/back")
	expectNames([]string{e.RouteCallFunc(Slow)}, "/slow")
	expectNames([]string{e.RoutePushFunc(Note)}, "/note")
	expectNames([]string{e.SubRoute("note").RouteCallFunc(List)}, "/note/list")
}

// registerClientRoutes offers what a server calls back.
func registerClientRoutes(e drpc.Endpoint) {
	expectNames(e.RouteCall(new(Client)), "/client/double")
	expectNames([]string{e.SubRoute("client").RoutePushFunc(Note)}, "/client/note")
	expectNames([]string{e.SubRoute("client").RoutePushFunc(Busy)}, "/client/busy")
}

func expectNames(got []string, want ...string) {
	if len(got) != len(want) {
		fail("mapper gave %q, want %q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			fail("mapper gave %q, want %q", got, want)
		}
	}
}
