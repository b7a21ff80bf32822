// Reads lines of a format's name and a body in hexadecimal; answers each with what the body says as JSON, and the body written anew in hexadecimal. An
// element is its name, its attributes, its elements and the text between them.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"os"
	"sort"
	"strings"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

type element struct {
	XMLName  xml.Name
	Attr     []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e element) tree() []any {
	attributes, children := map[string]string{}, []any{}
	for _, attribute := range e.Attr {
		attributes[attribute.Name.Local] = attribute.Value
	}
	for _, child := range e.Children {
		children = append(children, child.tree())
	}
	return []any{e.XMLName.Local, attributes, children, e.Text}
}

func readXML(body []byte) (any, []byte) {
	var root element
	if err := xml.Unmarshal(body, &root); err != nil {
		panic(err)
	}
	return root.tree(), must(xml.Marshal(root))
}

func readForm(body string) (any, []byte) {
	values := must(url.ParseQuery(body))
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	pairs := []any{}
	for _, key := range keys {
		for _, value := range values[key] {
			pairs = append(pairs, []string{key, value})
		}
	}
	return pairs, []byte(values.Encode())
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		form, text, _ := strings.Cut(lines.Text(), " ")
		body := must(hex.DecodeString(text))
		var said any
		var written []byte
		if form == "xml" {
			said, written = readXML(body)
		} else {
			said, written = readForm(string(body))
		}
		fmt.Fprintf(out, "%s\t%x\n", must(json.Marshal(said)), written)
	}
}
