"""Serve the sandbox to people and to benchmarks: `python -m sandbox --help`."""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from sandbox.endpoints import SCHEMAS
from sandbox.faults import Faults
from sandbox.filters import Readings
from sandbox.messaging import MEDIA_SHARE
from sandbox.sandbox import Sandbox

_VOLUMES = ("calls", "messages", "recordings", "conferences", "notifications", "alerts")
_RATES = ("429", "5xx", "reset", "truncated", "html", "empty", "redirect", "held")


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, serve until interrupted."""
    given = vars(_parser().parse_args(arguments))
    volumes = {name: given[name] for name in _VOLUMES if given[name] is not None}
    for pair in given["volume"]:
        name, _, rows = pair.partition("=")
        volumes[name] = int(rows)
    sandbox = Sandbox(
        port=given["port"],
        seed=given["seed"],
        now=given["now"],
        days=given["days"],
        subaccounts=given["subaccounts"],
        schemas=given["schemas"],
        volumes=volumes,
        media_share=given["media_share"],
        page_latency=given["latency"],
        jitter=given["jitter"],
        log_size=given["log_size"],
        cache_bytes=given["cache_mb"] << 20,
        readings=Readings(
            before=given["before"],
            after=given["after"],
            precision=given["precision"],
            nulls=given["nulls"],
        ),
        faults=Faults(
            max_concurrency=given["max_concurrency"],
            retry_after=given["retry_after"],
            held=given["held"],
            accepted=given["accepted"],
            methods=tuple(given["method"] or Faults.methods),
            **{f"rate_{name}": given[f"rate_{name}"] for name in _RATES},
        ),
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with sandbox:
        sys.stdout.write(_greeting(sandbox))
        sys.stdout.flush()
        try:
            sandbox.join()
        except KeyboardInterrupt:
            sys.stdout.write("\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A simulated Twilio.")
    add = parser.add_argument
    add("--port", type=int, default=8400, help="where to listen; 0 for any free port")
    add("--seed", type=int, default=1, help="what all rows, SIDs and secrets depend on")
    add("--now", default=_now(), help="where the clock stands, in ISO 8601")
    add("--days", type=float, default=45, help="how far back calls, messages and alerts reach")
    add("--subaccounts", type=int, default=1)
    add("--schemas", type=Path, default=SCHEMAS, help="the folder of schema files")
    for name in _VOLUMES:
        add(f"--{name}", type=int, metavar="ROWS")
    add("--volume", action="append", default=[], metavar="STREAM=ROWS", help="of any other stream")
    add(
        "--media-share",
        type=float,
        default=MEDIA_SHARE,
        metavar="SHARE",
        help=f"of messages that have media (default: {MEDIA_SHARE})",
    )
    add("--latency", type=float, default=0.0, metavar="SECONDS", help="that every answer takes")
    add("--jitter", type=float, default=0.0, metavar="SECONDS", help="that it may take longer")
    add("--max-concurrency", type=int, help="requests in flight an account; more get 429")
    add("--retry-after", type=float, metavar="SECONDS", help="that a 429 advises to wait")
    for name in _RATES:
        add(f"--rate-{name}", dest=f"rate_{name}", type=float, default=0.0, metavar="SHARE")
    add("--held", type=float, default=60, metavar="SECONDS", help="that answers are held back")
    add(
        "--accepted",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="of writes whose answer is lost: how many are carried out all the same",
    )
    add("--method", action="append", help="what the rates are about, if not all methods")
    add("--before", choices=("exclusive", "inclusive", "day"), default="exclusive")
    add("--after", choices=("inclusive", "exclusive"), default="inclusive")
    add("--precision", choices=("second", "day"), default="second")
    add("--nulls", action="store_true", help="rows without a timestamp match filters on it")
    add("--log-size", type=int, default=10_000, help="requests kept in full")
    add("--cache-mb", type=int, default=256, help="memory for finished pages")
    return parser


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _greeting(sandbox: Sandbox) -> str:
    keys = (sandbox.main_key, sandbox.standard_key, sandbox.restricted_key)
    lines = [
        f"Twilio sandbox at {sandbox.base_url}",
        *(
            f"  {account.friendly_name}: {account.sid} {account.auth_token}"
            for account in sandbox.accounts
        ),
        *(f"  {key.kind} key: {key.sid} {key.secret}" for key in keys),
        f"  OAuth app: {sandbox.app.client_id} {sandbox.app.secret}",
        "Try:",
        (
            f"  curl -u {sandbox.account_sid}:{sandbox.auth_token}"
            f" {sandbox.base_url}/api/2010-04-01/Accounts.json"
        ),
        f"  curl {sandbox.base_url}/_sandbox/requests",
        f"  curl {sandbox.base_url}/_sandbox/held",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
