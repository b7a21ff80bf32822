"""A server with the paths that others.ts has the expectations of. Its first line is its port. argv[1]: `old`, Python's http.server with HTTP/1.0,
whose answers have no length and end with their connection; `new`, the same with HTTP/1.1; `aiohttp`."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BIG = json.dumps("z" * 2_000_000)
PROBLEM = "application/problem+json; charset=utf-8"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answers = {
            "/echo": (200, self.headers["Content-Type"], body),
            "/host": (200, "application/json", json.dumps(self.headers["Host"]).encode()),
            "/big": (200, "application/json", BIG.encode()),
            "/suffix": (200, PROBLEM, b'{"a":1}'),
            "/fail": (500, "text/plain", b"broken"),
            "/empty": (204, None, b""),
            "/last": (200, "application/json", b"true"),
        }
        if self.path not in answers:
            return self.send_error(404)
        status, kind, body = answers[self.path]
        self.send_response(status)
        if kind is not None:
            self.send_header("Content-Type", kind)
        if self.protocol_version == "HTTP/1.1" and status != 204:
            self.send_header("Content-Length", str(len(body)))
        if self.path == "/last":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def blocking(version):
    Handler.protocol_version = version
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def waiting():
    import asyncio

    from aiohttp import web

    async def chunked(request):
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        for part in [b"[1,", b"2,", b"3]"]:
            await answer.write(part)
        return answer

    async def echo(request):
        return web.Response(body=await request.read(), headers={"Content-Type": request.headers["Content-Type"]})

    async def last(_):
        answer = web.json_response(True)
        answer.force_close()
        return answer

    def given(*args, **options):
        async def handler(_):
            return web.Response(*args, **options)

        return handler

    async def host(request):
        return web.json_response(request.headers["Host"])

    app = web.Application()
    app.add_routes(
        [
            web.post("/echo", echo),
            web.post("/host", host),
            web.post("/chunked", chunked),
            web.post("/big", given(text=BIG, content_type="application/json")),
            web.post("/suffix", given(text='{"a":1}', headers={"Content-Type": PROBLEM})),
            web.post("/fail", given(status=500, text="broken")),
            web.post("/empty", given(status=204)),
            web.post("/last", last),
        ]
    )

    async def main():
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


if sys.argv[1] == "aiohttp":
    waiting()
else:
    blocking("HTTP/1.0" if sys.argv[1] == "old" else "HTTP/1.1")
