from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest
from requests.auth import HTTPBasicAuth

from tap_twilio.http.connections import Network
from tap_twilio.http.errors import LostError, TapError, UnreachableError
from tap_twilio.http.transport import Transport

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(*answers, closed=None):
    """Reads each request whole, answers with bytes or nothing, and closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def serve():
        for answer in answers:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                head = b"".join(iter(lines.readline, b"\r\n"))
                length = int(head.lower().partition(b"content-length: ")[2].split()[0])
                seen.append(head + lines.read(length))
                connection.sendall(answer)
            if closed:
                closed.release()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.close()


pytestmark = pytest.mark.usefixtures("plain_environment")


@pytest.fixture
def transport():
    network = Network(connections=1, timeout=5, settings=("base_url",))
    return Transport(network, user_agent="test", note_date=lambda _: None)


def send(transport, base, method="POST", form=(("A", "1 ä"), ("B", "x"), ("B", "y"))):
    auth = HTTPBasicAuth("a", "b")
    return transport.send(method, f"{base}/x.json", form, endpoint="/x", auth=auth)


def test_a_form_is_sent_whole_and_its_answer_given(transport):
    with server(ANSWER) as (base, seen):
        reply = send(transport, base)

    assert (reply.status, reply.body) == (201, b"{}")
    head, _, body = seen[0].rpartition(b"\n")
    assert body == b"A=1+%C3%A4&B=x&B=y"
    assert b"POST /x.json HTTP/1.1" in head
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert b"Transfer-Encoding" not in head


def test_any_status_is_an_answer(transport):
    with server(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n") as (base, _):
        reply = send(transport, base, "DELETE", ())

    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{}", b"What?\r\n\r\n"],
    ids=["nothing", "half of it", "no HTTP"],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_answer_that_does_not_come_whole_is_lost(transport, answer, method):
    with server(answer) as (base, seen), pytest.raises(LostError):
        send(transport, base, method)

    assert len(seen) == 1


def test_an_answer_that_comes_too_late_is_lost():
    network = Network(connections=1, timeout=0.1, settings=())
    transport = Transport(network, user_agent="test", note_date=lambda _: None)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(LostError, match="too slow"),
    ):
        send(transport, f"http://127.0.0.1:{listener.getsockname()[1]}")


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:9", "http://name.invalid", "https://name.invalid"]
)
def test_what_can_not_be_reached_was_not_sent(transport, base):
    with pytest.raises(UnreachableError):
        send(transport, base)


def test_no_tls_means_not_sent(transport):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    with pytest.raises(TapError, match="doesn't speak TLS") as raised:
        send(transport, f"https://127.0.0.1:{listener.getsockname()[1]}")
    listener.close()

    assert not isinstance(raised.value, LostError)


def test_a_proxy_that_refuses_has_passed_nothing_on(monkeypatch):
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with server(refusal) as (proxy, _):
        monkeypatch.setenv("http_proxy", proxy)
        network = Network(connections=1, timeout=5, settings=())
        transport = Transport(network, user_agent="test", note_date=lambda _: None)
        with pytest.raises(TapError, match="wants a user and a password") as raised:
            send(transport, "http://api.example.com")

    assert not isinstance(raised.value, LostError)


def test_a_connection_that_was_closed_meanwhile_is_not_used_again_blindly(transport):
    # The server takes one request a connection, and closes it without a word.
    closed = threading.Semaphore(0)
    with server(ANSWER, ANSWER, closed=closed) as (base, seen):
        send(transport, base)
        assert closed.acquire(timeout=30)
        reply = send(transport, base)

    assert reply.status == 201
    assert len(seen) == 2
