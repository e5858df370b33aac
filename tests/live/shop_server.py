"""A shop in one process: `python shop_server.py ADDRESS PORT`; it answers /catalog/<n> and /checkout, and a query can make it slow or bad."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

state = {"status": 200, "limit": 64}
slots = threading.BoundedSemaphore(64)


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        if self.path.startswith("/state/"):
            state["status"] = int(self.path.rsplit("/", 1)[1])
            self.reply(200)
            return
        self.reply(state["status"])

    def reply(self, status: int) -> None:
        body = b"{}"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


if __name__ == "__main__":
    Server((sys.argv[1], int(sys.argv[2])), Shop).serve_forever()
