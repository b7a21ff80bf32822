// Asks the server at the port of the first argument what served.ts has the answers to, with go-redis as it is by default or in the version of the
// protocol that the second argument says, and prints them as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

var ctx = context.Background()

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	options := &redis.Options{Addr: "127.0.0.1:" + os.Args[1]}
	if len(os.Args) > 2 {
		options.Protocol = must(strconv.Atoi(os.Args[2]))
	}
	client := redis.NewClient(options)
	failure := func(words ...any) string {
		if err := client.Do(ctx, words...).Err(); err != nil {
			return strings.TrimPrefix(err.Error(), "ERR ")
		}
		return "no error"
	}
	answers := map[string]any{"ping": must(client.Ping(ctx).Result()), "set": must(client.Set(ctx, "k", "v ä", 0).Result())}
	must(client.Set(ctx, "large", strings.Repeat("x", 2_000_000), 0).Result())
	pipe := client.Pipeline()
	sets, gets := make([]*redis.StatusCmd, 100), make([]*redis.StringCmd, 100)
	for i := range sets {
		sets[i] = pipe.Set(ctx, fmt.Sprint(i), fmt.Sprint(i), 0)
		gets[i] = pipe.Get(ctx, fmt.Sprint(i))
	}
	must(pipe.Exec(ctx))
	piped := make([]string, len(sets))
	for i := range piped {
		piped[i] = gets[i].Val() + " " + sets[i].Val()
	}
	if _, err := client.Get(ctx, "nothing").Result(); err != redis.Nil {
		panic(fmt.Sprint("null is ", err))
	}
	answers["none"] = nil
	answers["get"] = must(client.Get(ctx, "k").Result())
	answers["large"] = len(must(client.Get(ctx, "large").Result()))
	answers["size"] = must(client.Do(ctx, "SIZE", strings.Repeat("y", 1_000_000)).Result())
	answers["incr"] = must(client.Incr(ctx, "n").Result())
	answers["list"] = must(client.LRange(ctx, "l", 0, -1).Result())
	answers["hash"] = must(client.HGetAll(ctx, "h").Result())
	answers["mixed"] = must(client.Do(ctx, "mixed").Result())
	answers["fail"] = failure("fail")
	answers["break"] = failure("Break")
	answers["pipeline"] = strings.Join(piped, ",")
	answers["unknown"] = failure("NoSuch", "x")
	answers["still"] = must(client.Ping(ctx).Result())
	fmt.Println(string(must(json.Marshal(answers))))
}
