"""A request that offers to go on in another protocol -> the same request without the offer.

JDK's HttpClient and `curl --http2` offer HTTP/2 with every request over plain TCP, uploads included. A server
may ignore that (RFC 9110, section 7.8), but the parser takes all that follows for the other protocol, and the
picture is lost (uvicorn issue 2722). So the head is given to the parser again, without the offer.
"""

from __future__ import annotations

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class DecliningProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which stays with HTTP/1.1 whatever is offered."""

    _offered = False  # the head that was just parsed has an offer, and no request was begun for it

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._unset_keepalive_if_required()
        rest = memoryview(data)
        try:
            while rest:
                try:
                    self.parser.feed_data(rest)
                    return
                except httptools.HttpParserUpgrade as offer:
                    rest = rest[offer.args[0] :]
                    if self._offered:
                        self._begin_again(self._head_without_offer())
        except httptools.HttpParserError as error:
            self.send_400_response(f"this is not HTTP/1.1: {error}")

    def on_headers_complete(self) -> None:
        """Begin the request, unless its head has an offer."""
        self._offered = self.parser.should_upgrade()
        if not self._offered:
            super().on_headers_complete()
        elif self.parser.get_method() == b"CONNECT":
            self._offered = False
            self.send_400_response("this is no proxy")

    def on_message_complete(self) -> None:
        """The request's end, which with an offer the parser sees too early."""
        if not self._offered:
            super().on_message_complete()

    def _begin_again(self, head: bytes) -> None:
        self.parser = httptools.HttpRequestParser(self)  # the old one is done if the head said close
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self.parser.feed_data(head)

    def _head_without_offer(self) -> bytes:
        line = b"%b %b HTTP/%b" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        fields = [(name, value) for name, value in self.headers if name not in (b"upgrade", b"connection")]
        kept = [
            token.strip()
            for name, value in self.headers
            if name == b"connection"
            for token in value.split(b",")
            if token.strip().lower() != b"upgrade"
        ]
        if kept:
            fields.append((b"connection", b", ".join(kept)))
        return b"\r\n".join([line, *(b": ".join(field) for field in fields), b"", b""])
