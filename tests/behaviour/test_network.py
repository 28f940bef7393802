"""Between the tap and Twilio: proxies, certificates, names, and answers without end."""

from __future__ import annotations

import base64
import gzip
import re
import socket
import ssl
import time

import pytest

from harness import assert_complete, catalog_of, config_for
from sandbox import faults
from tap_twilio.http import transport
from tests.behaviour.peers import ACCOUNT, ACCOUNTS, proxy, reply, serving

TOKEN = "0123456789abcdef" * 2

pytestmark = pytest.mark.usefixtures("plain_environment")


@pytest.fixture(scope="module")
def catalog():
    return catalog_of(["accounts"])


@pytest.fixture
def read(run, catalog):
    """Reads the accounts of whatever is at an address; it never ends in what nobody expected."""

    def go(base_url=None, **settings):
        config = {"account_sid": ACCOUNT, "auth_token": TOKEN, "retry_delay": 0, "max_retries": 2}
        own = {} if base_url is None else {"base_url": base_url}
        output = run(config | own | settings, catalog=catalog)
        for word in ("Traceback", "Unexpected", "report it", TOKEN):
            assert word not in output.log
        return output

    return go


def closed_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


def last_error(output):
    assert output.exit_code == 1
    (line,) = [line for line in output.log.splitlines() if line.startswith("ERROR")]
    return line


# --- Nobody there ------------------------------------------------------------------------------


def test_a_name_that_is_not_known_is_told_after_all_retries(read, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    output = read(max_retries=3)

    error = last_error(output)
    assert "/2010-04-01/Accounts.json: api.twilio.com can't be reached: its name can't be" in error
    assert "Check the network; if that needs a proxy, HTTPS_PROXY names it" in error
    assert output.log.count("accounts: waiting") == 3


@pytest.mark.parametrize(
    ("settings", "hint"),
    [({"region": "ie1"}, "Check region and the network"), ({"edge": "tokyo"}, "Check edge and")],
)
def test_the_settings_that_make_an_address_are_named(read, monkeypatch, settings, hint):
    def unreachable(*_, **__):
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)

    error = last_error(read(**settings))

    assert "can't be reached: Network is unreachable" in error
    assert hint in error


def test_a_port_where_nobody_listens(read):
    address = closed_port()

    error = last_error(read(f"http://{address}"))

    assert f"{address} can't be reached: Connection refused. Check base_url" in error


def test_a_server_that_speaks_another_language(read):
    with serving(lambda *_: b"SSH-2.0-OpenSSH_9.2\r\n") as (address, _):
        error = last_error(read(f"http://{address}"))

    assert f"{address} can't be reached: what it says is no HTTP" in error


def test_a_server_that_hangs_up(read):
    with serving(lambda *_: None) as (address, heads):
        error = last_error(read(f"http://{address}"))

    assert f"{address} can't be reached" in error
    assert len(heads) == 3


def test_a_connection_that_fails_halfway_is_told_at_the_end(run, sandbox):
    twilio = sandbox(volumes={"calls": 60, "messages": 0}, subaccounts=0)
    twilio.plan(faults.reset(), "/Calls.json")

    output = run(config_for(twilio, max_retries=2), streams=["calls"])

    assert output.exit_code == 1
    assert f"FAILED calls of {twilio.account_sid}: /api/2010-04-01/Accounts/" in output.log
    assert "can't be reached" in output.log
    assert output.bookmark("calls", twilio.account_sid) is None


# --- Answers that don't end --------------------------------------------------------------------


def drip(prefix):
    """Send what begins an answer, then more of it, little by little, for ever."""

    def answer(_, client):
        client.sendall(prefix)
        while True:
            client.sendall(b" ")
            time.sleep(0.02)

    return answer


@pytest.mark.parametrize(
    "prefix",
    [
        b"HTTP/1.1 200 OK\r\nX-Head: ",
        reply(b"[", "Content-Length: 1000000"),
        reply(b"[", "X: y", "Transfer-Encoding: chunked"),
    ],
    ids=["head", "body", "chunks"],
)
def test_an_answer_that_drips_has_an_end(read, prefix):
    with serving(drip(prefix)) as (address, _):
        error = last_error(read(f"http://{address}", request_timeout=0.1, max_retries=0))

    assert "Accounts.json" in error


def test_an_answer_that_does_not_begin_names_its_setting(read):
    with serving(lambda *_: time.sleep(1)) as (address, _):
        error = last_error(read(f"http://{address}", request_timeout=0.05, max_retries=0))

    assert f"Accounts.json: {address} is too slow: no answer within 0.05 s" in error
    assert "request_timeout" in error


def test_a_body_has_a_bound(run, sandbox, monkeypatch):
    monkeypatch.setattr("tap_twilio.http.transport.LARGEST", 20_000)
    twilio = sandbox(volumes={"calls": 100, "messages": 0}, subaccounts=0)

    output = run(config_for(twilio), streams=["calls"])

    assert output.exit_code == 1
    assert "Calls.json: the answer is larger than" in output.log
    assert "page_size" in output.log
    asked = [(request.path, *request.query) for request in twilio.requests]
    assert len(asked) == len(set(asked))
    assert run(config_for(twilio, page_size=5), streams=["calls"]).exit_code == 0


def test_a_body_that_was_blown_up_is_not_blown_up_here(read, monkeypatch):
    most = 1 << 20
    monkeypatch.setattr("tap_twilio.http.transport.LARGEST", most)
    bomb = gzip.compress(bytes(100 * most), 1)
    assert len(bomb) < most

    with serving(lambda *_: reply(bomb, "Content-Encoding: gzip")) as (address, heads):
        error = last_error(read(f"http://{address}"))

    assert "Accounts.json: the answer is larger than 1 MiB" in error
    assert len(heads) == 1
    assert len(transport._inflated(bomb)) == most + 1  # noqa: SLF001


def test_bodies_are_decompressed(read):
    parts = gzip.compress(ACCOUNTS[:20]) + gzip.compress(ACCOUNTS[20:]) + b"\0\0\0"
    with serving(lambda *_: reply(parts, "Content-Encoding: gzip")) as (address, heads):
        output = read(f"http://{address}")

    assert output.exit_code == 0
    assert [record["sid"] for record in output.records("accounts")] == [ACCOUNT]
    assert "\nAccept-Encoding: gzip\n" in f"{heads[0]}\n"


def test_a_body_of_a_great_many_parts_is_read_in_a_moment(read):
    parts = gzip.compress(b"") * 200_000 + gzip.compress(ACCOUNTS)
    with serving(lambda *_: reply(parts, "Content-Encoding: gzip")) as (address, _):
        output = read(f"http://{address}")

    assert [record["sid"] for record in output.records("accounts")] == [ACCOUNT]


def test_a_chunk_of_a_size_that_none_can_have_breaks_the_answer_off(read):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    answers = [head + b"-5\r\n{}\r\n0\r\n\r\n", reply()]
    with serving(lambda *_: answers.pop(0)) as (address, _):
        output = read(f"http://{address}")

    assert output.exit_code == 0
    assert "the answer broke off (ValueError)" in output.log


COMPRESSED = gzip.compress(ACCOUNTS, mtime=0)


@pytest.mark.parametrize(
    "body", [COMPRESSED[:-12], COMPRESSED[:20] + b"x" * 40], ids=["short", "broken"]
)
def test_a_compressed_body_that_breaks_off_is_asked_for_again(read, body):
    answers = [reply(body, "Content-Encoding: gzip"), reply()]
    with serving(lambda *_: answers.pop(0)) as (address, _):
        output = read(f"http://{address}")

    assert output.exit_code == 0
    assert "the answer broke off" in output.log


# --- Headers that make no sense ----------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "Content-Length: -5",
        "Content-Length: \N{SUPERSCRIPT TWO}",
        f"Content-Length: {'9' * 5000}",
        "Content-Encoding: gzip",
        "Content-Encoding: deflate, br, \N{SUPERSCRIPT TWO}",
        "Transfer-Encoding: nonsense",
        "Content-Type: \xff\xfe",
        "no header at all",
        "Twilio-Concurrent-Requests: \N{SUPERSCRIPT TWO}",
        "Retry-After: \N{SUPERSCRIPT TWO}",
        "Date: yesterday",
    ],
)
def test_headers_that_make_no_sense_are_ignored(read, header):
    def answer(_, client):
        client.sendall(reply(ACCOUNTS, header))

    with serving(answer) as (address, _):
        output = read(f"http://{address}", max_retries=0)

    assert output.exit_code == 0
    assert [record["sid"] for record in output.records("accounts")] == [ACCOUNT]


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize("advice", ["inf", "99999999999", "\N{SUPERSCRIPT TWO}"])
def test_an_advice_that_makes_no_sense_is_ignored(read, status, advice):
    headers = [f"Retry-After: {advice}", "Twilio-Concurrent-Requests: \N{SUPERSCRIPT TWO}"]
    answers = [reply(b"{}", *headers, status=status), reply()]
    with serving(lambda *_: answers.pop(0)) as (address, _):
        output = read(f"http://{address}")

    assert output.exit_code == 0
    assert not re.search(r"asks for a pause|waiting [1-9]\d\d", output.log)


@pytest.mark.parametrize(
    "body",
    [
        b'{"x": ' + b"[" * 100_000,
        b'{"code": ' + b"9" * 5000 + b"}",
        b'{"code": 1e400, "message": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}",
        b'{"message": "\\ud83d"}',
    ],
)
def test_errors_of_any_shape_are_one_sentence(read, body):
    with serving(lambda *_: reply(body, status="400 Bad Request")) as (address, _):
        error = last_error(read(f"http://{address}"))

    assert "Accounts.json" in error
    assert "HTTP 400" in error
    assert len(error) < 1000


# --- Proxies -----------------------------------------------------------------------------------

USER, PASSWORD = "robot", "s3cret/pa$$word"
QUOTED = f"{USER}:s3cret%2Fpa$$word"


def wants_password(head, client):
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    if f"Proxy-Authorization: Basic {token}" not in head:
        return reply(b"who are you?", status="407 Proxy Authentication Required")
    return proxy(head, client)


def test_a_proxy_takes_what_goes_over_plain_http(run, small, monkeypatch):
    with serving(wants_password) as (address, heads):
        monkeypatch.setenv("HTTP_PROXY", f"http://{QUOTED}@{address}")
        monkeypatch.setenv("LOGLEVEL", "DEBUG")
        output = run(config_for(small), streams=["calls"])

    assert output.exit_code == 0
    assert_complete(output, small, "calls")
    assert heads
    for head in heads:
        assert head.startswith(f"GET {small.base_url}/")
        assert f"\nHost: {small.base_url.removeprefix('http://')}" in head
    for secret in (PASSWORD, QUOTED):
        assert secret not in output.log


def test_hosts_in_no_proxy_are_asked_directly(run, small, monkeypatch):
    with serving(proxy) as (address, heads):
        monkeypatch.setenv("HTTP_PROXY", f"http://{address}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        output = run(config_for(small), streams=["calls"])

    assert output.exit_code == 0
    assert heads == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_not_asked_again(read, monkeypatch, scheme):
    with serving(wants_password) as (address, heads):
        monkeypatch.setenv(f"{scheme}_proxy", f"http://{USER}:wrong-word@{address}")
        error = last_error(read(f"{scheme}://twilio.test"))

    assert f"the proxy {address} that {scheme}_proxy names wants a user and a password" in error
    assert "wrong-word" not in error
    assert len(heads) == 1


@pytest.mark.parametrize(
    ("status", "times", "what"),
    [
        ("502 Bad Gateway", 3, "(502 Bad Gateway)"),
        ("403 Forbidden", 1, "(403 Forbidden): ask whoever runs it"),
    ],
)
def test_a_proxy_that_does_not_connect(read, monkeypatch, status, times, what):
    with serving(lambda *_: reply(b"", status=status)) as (address, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        error = last_error(read("https://twilio.test"))

    assert f"the proxy {address} that HTTPS_PROXY names doesn't connect to twilio.test" in error
    assert what in error
    assert len(heads) == times
    assert all(head.startswith("CONNECT twilio.test:443 ") for head in heads)


def test_a_proxy_that_is_not_there(read, monkeypatch):
    address = closed_port()
    monkeypatch.setenv("ALL_PROXY", f"http://{QUOTED}@{address}")

    output = read("https://twilio.test")

    error = last_error(output)
    assert f"the proxy {address} that ALL_PROXY names can't be reached: Connection refu" in error
    assert "Check ALL_PROXY" in error
    assert PASSWORD not in output.log
    assert QUOTED not in output.log


@pytest.mark.parametrize("value", ["http://", "ftp://127.0.0.1:1", "http://robot:pa55word@[", "::"])
def test_a_proxy_that_is_none(read, monkeypatch, value):
    monkeypatch.setenv("HTTPS_PROXY", value)

    error = last_error(read("https://twilio.test"))

    assert "HTTPS_PROXY: it names no proxy; one looks like http://127.0.0.1:3128" in error
    assert "pa55word" not in error


def test_a_socks_proxy_needs_its_package(read, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "socks5h://127.0.0.1:1080")
    monkeypatch.setattr("tap_twilio.http.connections.find_spec", lambda _: None)

    assert "HTTPS_PROXY: a SOCKS proxy needs the package PySocks" in last_error(read())


# --- Certificates ------------------------------------------------------------------------------


@pytest.fixture
def trusted(certificate):
    """The address of a server by HTTPS, for whom the certificate's file vouches."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(lambda *_: reply(), context) as (address, _):
        yield f"https://{address}"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_whom_to_trust_is_said_by_the_usual_variables(
    read, trusted, certificate, monkeypatch, variable
):
    monkeypatch.setenv(variable, str(certificate))

    assert read(trusted).exit_code == 0


def test_a_server_behind_a_proxy_is_verified_too(read, trusted, certificate, monkeypatch):
    with serving(proxy) as (address, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        assert "its certificate can't be verified" in last_error(read(trusted))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert read(trusted).exit_code == 0

    assert heads
    assert all(head.startswith("CONNECT 127.0.0.1:") for head in heads)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_of_certificates_that_has_none(read, tmp_path, monkeypatch, variable, content):
    file = tmp_path / "authorities.pem"
    file.write_text(content)
    monkeypatch.setenv(variable, str(file))

    error = last_error(read("https://127.0.0.1:1"))

    assert f"{variable}: the file {file} holds no certificates in PEM form" in error


def test_a_file_of_certificates_that_is_not_there(read, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))

    error = last_error(read("https://127.0.0.1:1"))

    assert "none.pem can't be read (No such file or directory)" in error


def test_a_handshake_that_is_not_answered(read, monkeypatch):
    monkeypatch.setattr("tap_twilio.http.connections.CONNECT_TIMEOUT", 0.05)
    with serving(lambda *_: time.sleep(0.5)) as (address, _):
        error = last_error(read(f"https://{address}"))

    assert f"{address} can't be reached: no TLS connection within 0.05 s" in error


def no_tls(*_):
    return reply(b"what?", status="400 Bad Request")


def test_a_port_that_speaks_no_tls(read):
    with serving(no_tls) as (address, _):
        error = last_error(read(f"https://{address}"))

    assert f"{address}: it doesn't speak TLS there. Check base_url" in error


def test_a_proxy_that_speaks_no_tls(read, monkeypatch):
    with serving(no_tls) as (address, _):
        monkeypatch.setenv("HTTPS_PROXY", f"https://{address}")
        error = last_error(read("https://twilio.test"))

    assert f"the proxy {address} that HTTPS_PROXY names: it doesn't speak TLS there" in error
