// Asks the server at the first argument with net/http what served.ts has the answers to, and prints them as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
)

type headers = map[string]string

var asJSON = headers{"Content-Type": "application/json"}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func post(path string, body io.Reader, more headers) (int, string) {
	request := must(http.NewRequest("POST", os.Args[1]+path, body))
	for name, value := range more {
		request.Header.Set(name, value)
	}
	answer := must(http.DefaultClient.Do(request))
	defer answer.Body.Close()
	return answer.StatusCode, string(must(io.ReadAll(answer.Body)))
}

func pair(path string, body io.Reader, more headers) []any {
	status, text := post(path, body, more)
	return []any{status, text}
}

func get(path string) string {
	answer := must(http.Get(os.Args[1] + path))
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		return answer.Status
	}
	return string(must(io.ReadAll(answer.Body)))
}

func main() {
	one := func() io.Reader { return strings.NewReader("1") }
	long := `"` + strings.Repeat("y", 3_000_000) + `"`
	status, large := post("/large", strings.NewReader("2000000"), asJSON)
	picture, _ := post("/echo", strings.NewReader("GIF89a"), headers{"Content-Type": "image/gif"})
	malformed, _ := post("/echo", strings.NewReader("{"), asJSON)
	many := make([]string, 30)
	var done sync.WaitGroup
	for i := range many {
		done.Add(1)
		go func() {
			defer done.Done()
			status, text := post("/slow", strings.NewReader(fmt.Sprint(i)), asJSON)
			if many[i] = text; status != 200 {
				many[i] = fmt.Sprint(status)
			}
		}()
	}
	done.Wait()
	answers := map[string]any{
		"echo":      pair("/echo", strings.NewReader(`{"a":[1,"ä水",null]}`), asJSON),
		"denied":    pair("/denied", one(), asJSON),
		"missing":   pair("/missing", one(), asJSON),
		"nothing":   pair("/nothing", one(), asJSON),
		"hello":     []any{200, get("/hello?name=a%20%C3%BC")},
		"author":    pair("/author", one(), headers{"Content-Type": "application/json", "Author": "me"}),
		"suffix":    pair("/echo", strings.NewReader("[1]"), headers{"Content-Type": "application/vnd.api+json"}),
		"picture":   picture,
		"malformed": malformed,
		"large":     []any{status, len(large)},
		"upload":    pair("/length", strings.NewReader(long), asJSON),
		// A reader whose length it cannot know.
		"chunked": pair("/length", io.MultiReader(strings.NewReader(long[:1_000_000]), strings.NewReader(long[1_000_000:])), asJSON),
		"many":    strings.Join(many, ","),
	}
	fmt.Println(string(must(json.Marshal(answers))))
}
