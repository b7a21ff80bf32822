"""Reads lines of a format's name and a body in hexadecimal; answers each with the body's plain form (plain-form.ts) and the body
written anew, in each way the library has."""

import datetime
import struct
import sys

import cbor2
import msgpack


def plain(value):
    if value is None:
        return "null"
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, int):
        return f"n{value}"
    if isinstance(value, float):
        if value != value:
            return "fnan"
        bits = struct.pack(">d", value).hex()
        whole = value.is_integer() and abs(value) < 2**53 and bits != "8000000000000000"
        return f"n{int(value)}" if whole else f"f{bits}"
    if isinstance(value, str):
        return f"t{value.encode().hex()}"
    if isinstance(value, bytes):
        return f"b{value.hex()}"
    if isinstance(value, datetime.datetime):
        since = value - datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
        return f"d{since // datetime.timedelta(milliseconds=1)}"
    if isinstance(value, list):
        return "[" + ",".join(plain(member) for member in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(sorted(f"{plain(key)}:{plain(member)}" for key, member in value.items())) + "}"
    raise TypeError(f"no plain form of {type(value)}")


CBOR_WAYS = ["date_as_datetime", "canonical", "datetime_as_timestamp", "indefinite_containers"]


def answer(form, body):
    if form == "cbor":
        value = cbor2.loads(body)
        return value, [cbor2.dumps(value, **{way: True}) for way in CBOR_WAYS]
    value = msgpack.unpackb(body, timestamp=3)
    return value, [msgpack.packb(value, datetime=True)]


for line in sys.stdin:
    form, body = line.split()
    value, written = answer(form, bytes.fromhex(body))
    print(plain(value), *(text.hex() for text in written))
