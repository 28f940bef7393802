"""Servers and proxies that do as a test says, each in threads of its own."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    Answer = Callable[[str, socket.socket], bytes | None]

ACCOUNT = "AC" + "0" * 32
ACCOUNTS = json.dumps({"accounts": [{"sid": ACCOUNT, "status": "active"}]}).encode()


def reply(body=ACCOUNTS, *headers, status="200 OK"):
    """An answer with a body; a header of its own may take the place of the right length."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-enc")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@contextlib.contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list]]:
    """A server; gives its address, and the heads of the requests that it has got.

    What it is to say is made of the head, or said by hand on the socket; none ends the connection.
    """
    heads: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                while head := read_head(self.rfile):
                    heads.append(head)
                    said = answer(head, self.connection)
                    if said is None:
                        return
                    self.connection.sendall(said)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}", heads
        server.shutdown()
        thread.join()


def read_head(stream):
    if stream.peek(1)[:1] == b"\x16":
        return "the beginning of TLS"
    lines = []
    while (line := stream.readline().decode("latin-1")) not in {"\r\n", ""}:
        lines.append(line.rstrip("\r\n"))
    return "\n".join(lines)


def proxy(head: str, client: socket.socket) -> bytes | None:
    """Do as a proxy does: forward a request to where it is to go, or connect to there."""
    line, *fields = head.split("\n")
    method, target, _ = line.split(" ")
    address = target if method == "CONNECT" else urlsplit(target).netloc
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port))) as server:
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pass_on, args=(server, client), daemon=True)
            back.start()
            pass_on(client, server)
            return None
        url = urlsplit(target)
        path = f"{url.path}?{url.query}" if url.query else url.path
        lines = [f"{method} {path} HTTP/1.1", *fields, "Connection: close", "", ""]
        kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection: k"))]
        server.sendall("\r\n".join(kept).encode("latin-1"))
        pass_on(server, client)
        return None


def pass_on(source, sink):
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
