"""Where each Twilio product answers, and which hosts may see the credentials."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from tap_twilio.http.errors import LinkError

EDGES = {
    "au1": "sydney",
    "br1": "sao-paulo",
    "de1": "frankfurt",
    "ie1": "dublin",
    "jp1": "tokyo",
    "jp2": "osaka",
    "sg1": "singapore",
    "us1": "ashburn",
    "us2": "umatilla",
}
"""The edge that serves each region; a region's host without an edge no longer answers."""

DOMAIN = "twilio.com"


@dataclass(frozen=True)
class Hosts:
    """Addresses of Twilio's products.

    Attributes:
        region: Region that holds the data, such as ``ie1``; none means US1.
        edge: Edge by which the region is reached; none means the region's own.
        base_url: Address that stands in for all of Twilio's hosts, such as a gateway's or a
            simulated Twilio's. The product's name becomes the first part of the path.
    """

    region: str | None = None
    edge: str | None = None
    base_url: str | None = None

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of the settings that make the addresses differ from the usual ones."""
        return tuple(name for name in ("base_url", "region", "edge") if getattr(self, name))

    def url(self, product: str) -> str:
        """Give a product's address, without a slash at the end.

        Args:
            product: First label of the product's host, such as ``api`` or ``monitor``.
        """
        if self.base_url:
            return f"{self.base_url.rstrip('/')}/{product}"
        if self.region or self.edge:
            region = self.region or "us1"
            return f"https://{product}.{self.edge or EDGES[region]}.{region}.{DOMAIN}"
        return f"https://{product}.{DOMAIN}"

    def locate(self, url: str) -> tuple[str, str, str]:
        """Find the product, the path on its host, and the query of a URL that a user gives.

        Args:
            url: On a product's configured address, or on its host in Twilio's domain.

        Raises:
            ValueError: It leads elsewhere; the message doesn't quote it, as it may hold secrets.
        """
        target = urlsplit(url)
        host = target.hostname or ""
        if self.base_url and url.startswith(f"{self.base_url.rstrip('/')}/"):
            base = urlsplit(self.base_url).path.rstrip("/")
            product, _, path = target.path.removeprefix(f"{base}/").partition("/")
            return product, f"/{path}", target.query
        product = host.partition(".")[0]
        if (
            target.scheme != "https"
            or target.port not in {None, 443}
            or "@" in target.netloc
            or target.fragment
        ):
            msg = f"it is not a plain address such as https://studio.{DOMAIN}/v2/Flows"
            raise ValueError(msg)
        if host != f"{product}.{DOMAIN}" and (
            self.base_url or f"https://{host}" != self.url(product)
        ):
            msg = f"{host!r} is not one of Twilio's hosts; here they are {self.url('<product>')}"
            raise ValueError(msg)
        return product, target.path, target.query

    def elsewhere(self, link: str) -> str:
        """Check the address of a file on another host, which gets no credentials, and give it.

        Raises:
            LinkError: It isn't encrypted, though Twilio's are, or no address; the message doesn't
                quote it, as it lets everybody in who knows it.
        """
        try:
            target = urlsplit(link)
            host, _ = target.hostname, target.port
        except ValueError:
            host = None
        schemes = {"https", urlsplit(self.url("")).scheme}
        if not host or target.scheme not in schemes or "@" in target.netloc:
            msg = "Twilio leads to a file by something that is no address such as https://…"
            raise LinkError(msg)
        return link

    def follow(self, product: str, link: str) -> str:
        """Turn a link from Twilio's answer into one on the product's configured address.

        Links of the 2010 API are paths; those of the product APIs are URLs, and may name the
        product's host in another region's form. Their path and query are taken as they stand.

        Raises:
            LinkError: The link leads to a host that isn't this product's.
        """
        own = self.url(product)
        if link.startswith("/") and not link.startswith("//"):
            return own + link
        if link.startswith(f"{own}/"):
            return link
        try:
            target = urlsplit(link)
            host, port = target.hostname or "", target.port
        except ValueError:
            msg = f"{own}: a link to the next page is none: {link[:200]!r}"
            raise LinkError(msg) from None
        known = host.startswith(f"{product}.") and host.endswith(f".{DOMAIN}")
        if target.scheme != "https" or not known or port not in {None, 443}:
            msg = f"{own}: a link to the next page leads to {(host or link)[:200]!r} instead"
            raise LinkError(msg)
        query = f"?{target.query}" if target.query else ""
        return own + target.path + query
