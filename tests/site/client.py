"""A plain client that goes where ``Site.resolve`` says, for tests that need no browser."""

import contextlib
import http.client
import socket
import ssl
from urllib.parse import urlsplit

from tests.site.server import Site


def connect(site: Site, url: str, *, timeout: float = 5) -> http.client.HTTPConnection:
    """To where ``resolve`` says, with the host's own name in TLS and in the request; any certificate will do."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    rules = {tuple(rule.split(":")[:2]): rule.split(":")[2:] for rule in site.resolve}
    address, port = rules[parts.hostname, "80" if parts.scheme == "http" else "443"]
    sock = socket.create_connection((address, int(port)), timeout)
    if parts.scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the default one reads 140 roots first
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            sock = context.wrap_socket(sock, server_hostname=parts.hostname)
        except OSError:
            sock.close()
            raise
    connection = http.client.HTTPConnection(parts.hostname)
    connection.sock = sock
    return connection


def fetch(site: Site, url: str, *, agent: str = "test") -> tuple[http.client.HTTPResponse, bytes]:
    parts = urlsplit(url)
    with contextlib.closing(connect(site, url)) as connection:
        connection.request(
            "GET",
            parts._replace(scheme="", netloc="").geturl(),
            headers={"User-Agent": agent, "Host": parts.hostname or ""},
        )
        response = connection.getresponse()
        return response, response.read()
