// Reads lines of a format's name and a body in hexadecimal; answers each with the body's plain form (plain-form.ts) and the body written
// anew, in each way the library has.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"os"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/vmihailenco/msgpack/v5"
)

func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		return fmt.Sprintf("n%d", v)
	case big.Int:
		return "n" + v.String()
	case float32:
		return plain(float64(v))
	case float64:
		if math.IsNaN(v) {
			return "fnan"
		}
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 && (v != 0 || !math.Signbit(v)) {
			return fmt.Sprintf("n%d", int64(v))
		}
		return fmt.Sprintf("f%016x", math.Float64bits(v))
	case string:
		return "t" + hex.EncodeToString([]byte(v))
	case []byte:
		return "b" + hex.EncodeToString(v)
	case time.Time:
		return fmt.Sprintf("d%d", v.UnixMilli())
	case []any:
		members := make([]string, len(v))
		for i, member := range v {
			members[i] = plain(member)
		}
		return "[" + strings.Join(members, ",") + "]"
	case map[string]any:
		members := make([]string, 0, len(v))
		for key, member := range v {
			members = append(members, plain(key)+":"+plain(member))
		}
		sort.Strings(members)
		return "{" + strings.Join(members, ",") + "}"
	}
	panic(fmt.Sprintf("no plain form of %T", value))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func writers() []cbor.EncMode {
	canonical := cbor.CoreDetEncOptions()
	canonical.Time = cbor.TimeRFC3339Nano
	options := []cbor.EncOptions{{Time: cbor.TimeUnixMicro}, {Time: cbor.TimeUnixDynamic}, {Time: cbor.TimeRFC3339Nano}, canonical}
	modes := make([]cbor.EncMode, len(options))
	for i, option := range options {
		option.TimeTag = cbor.EncTagRequired
		modes[i] = must(option.EncMode())
	}
	return modes
}

func main() {
	reader := must(cbor.DecOptions{DefaultMapType: reflect.TypeFor[map[string]any]()}.DecMode())
	modes := writers()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		form, text, _ := strings.Cut(lines.Text(), " ")
		body := must(hex.DecodeString(text))
		var value any
		var written [][]byte
		if form == "cbor" {
			if err := reader.Unmarshal(body, &value); err != nil {
				panic(err)
			}
			for _, mode := range modes {
				written = append(written, must(mode.Marshal(value)))
			}
		} else {
			if err := msgpack.Unmarshal(body, &value); err != nil {
				panic(err)
			}
			written = append(written, must(msgpack.Marshal(value)))
		}
		fmt.Fprint(out, plain(value))
		for _, body := range written {
			fmt.Fprintf(out, " %x", body)
		}
		fmt.Fprintln(out)
	}
}
