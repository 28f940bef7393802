"""The threat model of SECURITY.md, as far as it can be tested."""

from __future__ import annotations

import ast
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness import PATIENCE, config_for
from sandbox import faults

SOURCE = Path(__file__).parents[2] / "tap_twilio"


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE))
)
def test_no_code_turns_verification_off(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [getattr(node, name, None) for name in ("arg", "attr")]
        assert "verify" not in names
        assert "CERT_NONE" not in names
        assert "_create_unverified_context" not in names
        assert "trust_env" not in names


@pytest.fixture
def impostor(certificate):
    """An HTTPS server that nobody vouches for; counts what it is asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers)
            self.send_error(404)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, certificate, asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_that_nobody_vouches_for_sees_nothing(run, small, impostor):
    port, _, asked = impostor
    config = config_for(small, base_url=f"https://127.0.0.1:{port}", max_retries=1)

    output = run(config, streams=["calls"])

    assert output.exit_code == 1
    assert asked == []
    assert "its certificate can't be verified" in output.log
    assert "REQUESTS_CA_BUNDLE" in output.log
    assert "Traceback" not in output.log


def test_a_ca_of_ones_own_can_be_named(run, small, impostor, monkeypatch):
    port, certificate, asked = impostor
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    config = config_for(small, base_url=f"https://127.0.0.1:{port}", max_retries=0)

    run(config, streams=["calls"])

    assert asked


@pytest.fixture
def elsewhere():
    """A host that isn't Twilio's; keeps what it is asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(dict(self.headers))
            self.send_error(404)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/steal", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(run, sandbox, elsewhere, status):
    url, asked = elsewhere
    twilio = sandbox(volumes={"calls": 5, "messages": 0}, subaccounts=0)
    twilio.plan(faults.redirect(url, status), "/Calls.json")

    output = run(config_for(twilio, max_retries=0), streams=["calls"])

    assert output.exit_code == 1
    assert "redirects elsewhere" in output.log
    assert asked == []


def test_no_link_to_another_host_is_followed(run, sandbox, elsewhere):
    url, asked = elsewhere
    twilio = sandbox(volumes={"calls": 50, "messages": 0}, subaccounts=0)
    twilio.plan(faults.next_link(url), "/Calls.json")

    output = run(config_for(twilio, max_retries=0, page_size=5), streams=["calls"])

    assert output.exit_code == 1
    assert asked == []


def test_nothing_is_written_to_disk(tmp_path, small):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_for(small)))
    home, here, scratch = (tmp_path / name for name in ("home", "here", "scratch"))
    for folder in (home, here, scratch):
        folder.mkdir()
    # Coverage, where it watches, writes files of its own.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    env |= {"HOME": str(home), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}

    subprocess.run(
        [sys.executable, "-m", "tap_twilio", "--config", str(config)],
        cwd=here,
        env=env,
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )

    assert [path for folder in (home, here, scratch) for path in folder.rglob("*")] == []
