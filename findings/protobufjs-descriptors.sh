#!/usr/bin/env bash
# Guessed: descriptors that protobufjs makes of a .proto source (root.toDescriptor of its ext/descriptor) are those that other runtimes load.
# What happens (protobufjs 8.8.1, protobuf 7.36.2 of Python, 2026-11-28): a message that has `optional` fields before a `oneof` is refused, "Synthetic oneofs
# must be after all other oneofs", since protobufjs lists oneofs in the order of the source and counts those that stand for `optional` among them. With the
# oneof first it loads. And a map whose values are an enum throws `illegal type` in protobufjs unless root.resolveAll() was called.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund -E protobufjs@8.8.1
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check protobuf==7.36.2
cat >make.mjs <<'JS'
import protobuf from 'protobufjs'
import descriptor from 'protobufjs/ext/descriptor.js'
const bodies = {
  'optional before oneof': 'optional int32 a = 1; oneof choice { int32 b = 2; int32 c = 3; }',
  'oneof before optional': 'oneof choice { int32 b = 2; int32 c = 3; } optional int32 a = 1;',
  'map of an enum': 'map<string, E> m = 1;',
}
for (const [name, body] of Object.entries(bodies)) {
  const make = (resolve) => {
    const { root } = protobuf.parse(`syntax = "proto3"; package p; enum E { Z = 0; } message M { ${body} }`)
    if (resolve) root.resolveAll()
    return Buffer.from(descriptor.FileDescriptorSet.encode(root.toDescriptor('proto3')).finish()).toString('hex')
  }
  let unresolved = 'made'
  try {
    make(false)
  } catch (error) {
    unresolved = error.message
  }
  console.log(`${name}\t${unresolved}\t${make(true)}`)
}
JS
cat >load.py <<'PY'
import sys
from google.protobuf import descriptor_pb2, descriptor_pool

for line in sys.stdin:
    name, unresolved, body = line.rstrip("\n").split("\t")
    pool = descriptor_pool.DescriptorPool()
    try:
        for file in descriptor_pb2.FileDescriptorSet.FromString(bytes.fromhex(body)).file:
            pool.Add(file)
        said = "loads"
    except TypeError as error:
        said = str(error).split("pool: ")[-1]
    print(f"{name}: {unresolved} without resolveAll; Python: {said}")
PY
node make.mjs | venv/bin/python load.py | tee got
cat >expected <<'TEXT'
optional before oneof: made without resolveAll; Python: Synthetic oneofs must be after all other oneofs: choice
oneof before optional: made without resolveAll; Python: loads
map of an enum: illegal type: E without resolveAll; Python: loads
TEXT
diff expected got
