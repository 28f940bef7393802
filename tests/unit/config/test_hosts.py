"""Which addresses are followed, and by what."""

from __future__ import annotations

import pytest

from tap_twilio.config.hosts import Hosts
from tap_twilio.http.errors import LinkError

HERE = "http://127.0.0.1:8400"
SIGNED = "files.example.com/a%3Db/c.gz?X-Amz-Signature=s3cret"


@pytest.mark.parametrize(
    ("base_url", "link"),
    [
        (None, f"https://{SIGNED}"),
        (None, f"https://{SIGNED}".replace("/a", ":8443/a")),
        (HERE, f"http://{SIGNED}"),
        (HERE, f"https://{SIGNED}"),
    ],
)
def test_a_file_may_lie_on_any_host(base_url, link):
    assert Hosts(base_url=base_url).elsewhere(link) == link


@pytest.mark.parametrize(
    "link",
    [
        f"http://{SIGNED}",
        f"ftp://{SIGNED}",
        f"https://user:s3cret@{SIGNED}",
        "https://files.example.com:99999/?s3cret",
        "https://[::1/?s3cret",
        "https:///?s3cret",
        "/a?s3cret",
        "s3cret",
    ],
)
def test_what_is_no_encrypted_address_is_not_followed_nor_quoted(link):
    with pytest.raises(LinkError) as caught:
        Hosts().elsewhere(link)

    assert "s3cret" not in str(caught.value)
