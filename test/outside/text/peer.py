"""Reads lines of a format's name and a body in hexadecimal; answers each with what the body says as JSON, and the body written anew in hexadecimal. An
element is its name, its attributes, its elements and the text between them."""

import json
import sys
import urllib.parse
import xml.etree.ElementTree as ET


def tree(element):
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    return [element.tag, dict(element.attrib), [tree(child) for child in element], text]


def answer(form, body):
    if form == "xml":
        root = ET.fromstring(body)
        return tree(root), ET.tostring(root, encoding="utf-8")
    pairs = urllib.parse.parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=10_000) if body else []
    return pairs, urllib.parse.urlencode(pairs).encode()


for line in sys.stdin:
    form, *body = line.split()
    said, written = answer(form, bytes.fromhex("".join(body)))
    print(json.dumps(said), written.hex(), sep="\t")
