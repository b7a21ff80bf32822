// A server of net/http with the paths that others.ts has the expectations of. Its first line is its port.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

func main() {
	text := func(kind, body string, status int) http.HandlerFunc {
		return func(answer http.ResponseWriter, _ *http.Request) {
			answer.Header().Set("Content-Type", kind)
			answer.WriteHeader(status)
			io.WriteString(answer, body)
		}
	}
	http.HandleFunc("/echo", func(answer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			panic(err)
		}
		answer.Header().Set("Content-Type", request.Header.Get("Content-Type"))
		answer.Write(body)
	})
	http.HandleFunc("/host", func(answer http.ResponseWriter, request *http.Request) {
		answer.Header().Set("Content-Type", "application/json")
		json.NewEncoder(answer).Encode(request.Host)
	})
	http.HandleFunc("/chunked", func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "application/json")
		for _, part := range []string{"[1,", "2,", "3]"} {
			io.WriteString(answer, part)
			answer.(http.Flusher).Flush()
		}
	})
	http.HandleFunc("/big", text("application/json", `"`+strings.Repeat("z", 2_000_000)+`"`, 200))
	http.HandleFunc("/suffix", text("application/problem+json; charset=utf-8", `{"a":1}`, 200))
	http.HandleFunc("/fail", text("text/plain", "broken", 500))
	http.HandleFunc("/empty", func(answer http.ResponseWriter, _ *http.Request) { answer.WriteHeader(204) })
	http.HandleFunc("/last", func(answer http.ResponseWriter, request *http.Request) {
		answer.Header().Set("Connection", "close")
		text("application/json", "true", 200)(answer, request)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(listener, nil))
}
