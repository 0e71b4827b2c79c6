"""Stands before every request of the page: who may pass, from where, and what browsers may do.

- A page of another site cannot send anything here (its `Origin` is another), nor pretend to be us
  by a name of its own that leads to this machine (the `Host` must be ours).
- Browsers are told to fetch nothing from elsewhere, whatever a text might contain.
- Who has no ticket is sent to the door.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST_BODY = 1_000_000
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Gradio's page has scripts and styles inside.
    "Content-Security-Policy": (
        "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; connect-src 'self' data: blob:; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
}


class Gate:
    """An ASGI app around the page's."""

    def __init__(self, app: ASGIApp, *, local: bool, knows: Callable[[Request], Any]) -> None:
        """Make it.

        Args:
            app: what is guarded.
            local: the page is for this machine only, so that its names are the only ones.
            knows: says whether a request comes from a reviewer.
        """
        self._app, self._local, self._knows = app, local, knows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(scope)
        if refused is not None:
            await PlainTextResponse(refused, status_code=403)(scope, receive, send)
        elif scope["path"] == "/" and not self._knows(Request(scope)):
            await RedirectResponse("/login", status_code=303)(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refused(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._local and urlsplit(f"//{host}").hostname not in LOCAL:
            return f"this page is not {host}"
        if origin is not None and urlsplit(origin).netloc != host:
            return "this page takes nothing from other pages"
        # A body of unknown length would be read before anybody asks whose it is.
        if "transfer-encoding" in headers or int(headers.get("content-length", 0)) > LONGEST_BODY:
            return f"at most {LONGEST_BODY:,} bytes are taken, and their number comes first"
        return None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
