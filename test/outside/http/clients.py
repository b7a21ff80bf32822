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
    "author": ("/author", "1", {**JSON, "Author": "me"}),
    "suffix": ("/echo", "[1]", {"Content-Type": "application/vnd.api+json"}),
    "picture": ("/echo", "GIF89a", {"Content-Type": "image/gif"}),
    "malformed": ("/echo", "{", JSON),
    "large": ("/large", "2000000", JSON),
    "upload": ("/length", LONG, JSON),
    "chunked": ("/length", PARTS, JSON),
}


def shown(name, status, text):
    if name in ("picture", "malformed"):
        return status
    return [status, len(text) if name == "large" else text]


def many(answers):
    return ",".join(text if status == 200 else str(status) for status, text in answers)


def blocking(post):
    """`post(path, body, headers)` gives status and text; a list is a body of unknown length, in parts."""

    def sent(body):
        return body.encode() if isinstance(body, str) else body

    answers = {name: shown(name, *post(path, sent(body), headers)) for name, (path, body, headers) in QUESTIONS.items()}
    with concurrent.futures.ThreadPoolExecutor(30) as threads:
        answers["many"] = many(threads.map(lambda i: post("/slow", sent(str(i)), JSON), range(30)))
    return answers


async def waiting(post):
    async def parts(body):
        for part in body:
            yield part

    def sent(body):
        return body.encode() if isinstance(body, str) else parts(body)

    answers = {name: shown(name, *await post(path, sent(body), headers)) for name, (path, body, headers) in QUESTIONS.items()}
    answers["many"] = many(await asyncio.gather(*(post("/slow", sent(str(i)), JSON) for i in range(30))))
    return answers


def with_requests():
    with requests.Session() as session:

        def post(path, body, headers):
            answer = session.post(URL + path, data=body if isinstance(body, bytes) else iter(body), headers=headers)
            return answer.status_code, answer.content.decode()

        return blocking(post)


def with_urllib3():
    with urllib3.PoolManager() as pool:

        def post(path, body, headers):
            answer = pool.request("POST", URL + path, body=body if isinstance(body, bytes) else iter(body), headers=headers)
            return answer.status, answer.data.decode()

        return blocking(post)


def with_urllib():
    def post(path, body, headers):
        request = urllib.request.Request(URL + path, body if isinstance(body, bytes) else iter(body), headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return blocking(post)


def with_http10():
    """Python's http.client made to speak HTTP/1.0, which has no chunks: they are sent as a whole."""

    class Connection(http.client.HTTPConnection):
        _http_vsn = 10
        _http_vsn_str = "HTTP/1.0"

    def post(path, body, headers):
        connection = Connection(URL.removeprefix("http://"))
        connection.request("POST", path, body if isinstance(body, bytes) else b"".join(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    return blocking(post)


def with_httpx():
    with httpx.Client() as client:

        def post(path, body, headers):
            answer = client.post(URL + path, content=body if isinstance(body, bytes) else iter(body), headers=headers)
            return answer.status_code, answer.text

        return blocking(post)


def with_httpx_async():
    async def main():
        async with httpx.AsyncClient() as client:

            async def post(path, body, headers):
                answer = await client.post(URL + path, content=body, headers=headers)
                return answer.status_code, answer.text

            return await waiting(post)

    return asyncio.run(main())


def with_aiohttp():
    async def main():
        async with aiohttp.ClientSession() as session:

            async def post(path, body, headers):
                async with session.post(URL + path, data=body, headers=headers) as answer:
                    return answer.status, (await answer.read()).decode()

            return await waiting(post)

    return asyncio.run(main())


print(json.dumps(globals()[f"with_{LIBRARY}"]()))
