"""SignalResource, in the query protocol -> who said that it serves: CloudFormation, as far as instances ask."""

from __future__ import annotations

from aiohttp import web

from tests.rig.query_protocol import answer, refusal


class Signals:
    """The service. `said` are resource and instance of each signal, in their order."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def app(self) -> web.Application:
        """To be served on 127.0.0.1."""
        app = web.Application()
        app.router.add_post("/", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        action = form.get("Action", "")
        if action != "SignalResource":
            text = refusal("InvalidAction", f"the rig's CloudFormation does not know {action!r}")
            return web.Response(text=text, status=400, content_type="text/xml")
        assert form["Status"] == "SUCCESS"
        self.said.append((form["LogicalResourceId"], form["UniqueId"]))
        return web.Response(text=answer(action, None), content_type="text/xml")
