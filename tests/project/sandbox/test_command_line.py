"""The sandbox as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import requests


def test_it_says_where_it_is_and_how_to_sign_in(schemas):
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--schemas", str(schemas)]
    command += ["--calls", "70", "--now", "2026-11-20T12:00:00Z", "--volume", "messages=3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        base = process.stdout.readline().split()[-1]
        sid, token = process.stdout.readline().split()[-2:]
        calls = f"{base}/api/2010-04-01/Accounts/{sid}/Calls.json?PageSize=1000"
        found = requests.get(calls, auth=(sid, token), timeout=5).json()["calls"]
        requests.get(f"{base}/_sandbox/advance?seconds=86400", timeout=5)
        later = requests.get(calls, auth=(sid, token), timeout=5).json()["calls"]
        counters = requests.get(f"{base}/_sandbox/requests", timeout=5).json()
        process.send_signal(signal.SIGTERM)
    assert len(found) == 70 < len(later)
    assert (counters["total"], counters["max_in_flight"]) == (2, 1)
    assert process.returncode == 143
