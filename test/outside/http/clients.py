"""Asks the server at argv[2] with the library argv[1] what served.ts has the answers to, and prints them as JSON."""

import asyncio
import concurrent.futures
import http.client
import json
import sys
import urllib.error
import urllib.request

import aiohttp
import httpx
import requests
import urllib3

LIBRARY, URL = sys.argv[1:]
JSON = {"Content-Type": "application/json"}
LONG = '"' + "y" * 3_000_000 + '"'
PARTS = [LONG[:1_000_000].encode(), LONG[1_000_000:].encode()]
QUESTIONS = {
    "echo": ("/echo", '{"a":[1,"ä水",null]}', JSON),
    "denied": ("/denied", "1", JSON),
    "missing": ("/missing", "1", JSON),
    "nothing": ("/nothing", "1", JSON),
    "hello": ("/hello?name=a%20%C3%BC", None, {}),
    "author": ("/author", "1", {**JSON, "Author": "me"}),
    "suffix": ("/echo", "[1]", {"Content-Type": "application/vnd.api+json"}),
    "picture": ("/echo", "GIF89a", {"Content-Type": "image/gif"}),
    "malformed": ("/echo", "{", JSON),
    "large": ("/large", "2000000", JSON),
    "upload": ("/length", LONG, JSON),
    "chunked": ("/length", PARTS, JSON),
}


def method(body):
    return "GET" if body is None else "POST"


def shown(name, status, text):
    if name in ("picture", "malformed"):
        return status
    return [status, len(text) if name == "large" else text]


def many(answers):
    return ",".join(text if status == 200 else str(status) for status, text in answers)


def blocking(send):
    """`send(path, body, headers)` gives status and text; no body is a GET, a list a body of unknown length, in parts."""

    def sent(body):
        return body.encode() if isinstance(body, str) else body and iter(body)

    answers = {name: shown(name, *send(path, sent(body), headers)) for name, (path, body, headers) in QUESTIONS.items()}
    with concurrent.futures.ThreadPoolExecutor(30) as threads:
        answers["many"] = many(threads.map(lambda i: send("/slow", sent(str(i)), JSON), range(30)))
    return answers


async def waiting(send):
    async def parts(body):
        for part in body:
            yield part

    def sent(body):
        return body.encode() if isinstance(body, str) else body and parts(body)

    answers = {name: shown(name, *await send(path, sent(body), headers)) for name, (path, body, headers) in QUESTIONS.items()}
    answers["many"] = many(await asyncio.gather(*(send("/slow", sent(str(i)), JSON) for i in range(30))))
    return answers


def with_requests():
    with requests.Session() as session:

        def send(path, body, headers):
            answer = session.request(method(body), URL + path, data=body, headers=headers)
            return answer.status_code, answer.content.decode()

        return blocking(send)


def with_urllib3():
    with urllib3.PoolManager() as pool:

        def send(path, body, headers):
            answer = pool.request(method(body), URL + path, body=body, headers=headers)
            return answer.status, answer.data.decode()

        return blocking(send)


def with_urllib():
    def send(path, body, headers):
        request = urllib.request.Request(URL + path, body, headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return blocking(send)


def with_http10():
    """Python's http.client made to speak HTTP/1.0, which has no chunks: they are sent as a whole."""

    class Connection(http.client.HTTPConnection):
        _http_vsn = 10
        _http_vsn_str = "HTTP/1.0"

    def send(path, body, headers):
        connection = Connection(URL.removeprefix("http://"))
        connection.request(method(body), path, body if body is None or isinstance(body, bytes) else b"".join(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    return blocking(send)


def with_httpx():
    with httpx.Client() as client:

        def send(path, body, headers):
            answer = client.request(method(body), URL + path, content=body, headers=headers)
            return answer.status_code, answer.text

        return blocking(send)


def with_httpx_async():
    async def main():
        async with httpx.AsyncClient() as client:

            async def send(path, body, headers):
                answer = await client.request(method(body), URL + path, content=body, headers=headers)
                return answer.status_code, answer.text

            return await waiting(send)

    return asyncio.run(main())


def with_aiohttp():
    async def main():
        async with aiohttp.ClientSession() as session:

            async def send(path, body, headers):
                async with session.request(method(body), URL + path, data=body, headers=headers) as answer:
                    return answer.status, (await answer.read()).decode()

            return await waiting(send)

    return asyncio.run(main())


print(json.dumps(globals()[f"with_{LIBRARY}"]()))
