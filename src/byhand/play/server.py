"""A small server for one person: it hands out the page and lets the engine answer, on this machine only.

What could reach it besides the page is another site, open in the same browser. Such a site can send requests to
127.0.0.1, so the Origin is checked; and it can let a name of its own point here (DNS rebinding), so the Host is.
"""

import asyncio
import heapq
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType

from byhand.errors import ByhandError, needs_extra
from byhand.play import schema
from byhand.play.answers import QUESTIONS
from byhand.play.landscape import POINTS
from byhand.play.page import FONTS, MODULES, STYLES, served, static
from byhand.play.records import encode

with needs_extra("play"):
    import h11
    import uvicorn
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import ASGIApp, Receive, Scope, Send
    from uvicorn.protocols.http.h11_impl import H11Protocol

HOST = "127.0.0.1"
PORT = 8050
HEAD_SECONDS = 5
BODY_SECONDS = 10
MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "woff2": "font/woff2"}


def listen(port: int | None) -> socket.socket:
    """A socket on the loopback interface: on that port, or on 8050 or any free one if `port` is None.

    Raises
    ------
    ByhandError
        If the port that was asked for is taken or not allowed.
    """
    # TCP by name: only then asyncio turns off Nagle's algorithm, which would hold each answer back for 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, PORT if port is None else port))
    except OSError as error:
        if port is None:
            listener.bind((HOST, 0))
        else:
            listener.close()
            raise ByhandError(
                f"port {port} cannot be used ({(error.strerror or str(error)).lower()}); give another with --port, "
                "or none to take a free one"
            ) from error
    return listener


def serve(listener: socket.socket, on_start: Callable[[], None] = lambda: None) -> None:
    """Serve the page on a socket until Ctrl-C; `on_start` is called once the port answers."""
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        app(port),
        log_config={"version": 1, "disable_existing_loggers": False, "loggers": {"uvicorn": {"level": "ERROR"}}},
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        http=_Protocol,
        limit_concurrency=100,
    )
    listener.listen()
    on_start()  # what connects from now on waits in the socket's queue
    _Server(config).run(sockets=[listener])


class _Protocol(H11Protocol):
    """HTTP/1.1 that hangs up on whoever does not send a whole head in time: half-sent ones would fill the server."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Wait on, unless the head is there."""
        super().data_received(data)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        self._stop_waiting()

    def _wait_for_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._patience is None:
            self._patience = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


class _Server(uvicorn.Server):
    """Ends at once: nothing is lost when an answer is not waited for, as the state is the page's."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Go without waiting for open connections, and without a word about what is dropped."""
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL + 1)
        self.force_exit = True
        super().handle_exit(sig, frame)


def app(port: int) -> ASGIApp:
    """The application for a server on that port."""
    routes = [
        Route("/", _page),
        *(Route(f"/static/{name}", _static) for name in [*(f"{module}.js" for module in MODULES), *STYLES, *FONTS]),
        *(Route(f"/api/{name}", _ask, methods=["POST"]) for name in QUESTIONS),
    ]
    handlers = {HTTPException: _http_error, Exception: _bug}
    return OnlyThisPage(Starlette(routes=routes, exception_handlers=handlers), port)  # type: ignore[arg-type]


class OnlyThisPage:
    """Let through what the page itself asks for; refuse other hosts' names and other sites' requests."""

    def __init__(self, inner: ASGIApp, port: int) -> None:
        self.inner = inner
        self.hosts = {f"{name}:{port}" for name in (HOST, "localhost")}
        if port == 80:
            self.hosts |= {HOST, "localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with 403, or hand on."""
        if scope["type"] != "http":
            return
        refusal = self.refusal(scope["headers"])
        await (self.inner if refusal is None else _error(403, refusal))(scope, receive, send)

    def refusal(self, headers: list[tuple[bytes, bytes]]) -> str | None:
        """Why a request with these headers is refused, or None."""
        values: dict[bytes, list[str]] = {}
        for name, value in headers:
            values.setdefault(name.lower(), []).append(value.decode("latin-1"))
        hosts = values.get(b"host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return f"this server answers to {' and '.join(sorted(self.hosts))} only"
        for origin in values.get(b"origin", []):
            if origin.lower() not in {f"http://{host}" for host in self.hosts}:
                return "requests from other sites' pages are not answered"
        if values.get(b"sec-fetch-site", ["none"])[0] == "cross-site" and b"origin" in values:
            return "requests from other sites' pages are not answered"
        return None


_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def _answer(
    content: str | bytes, media_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(content, status, {**_HEADERS, **(headers or {})}, media_type)


def _error(status: int, message: str) -> Response:
    return _answer(encode({"error": message}), "application/json", status)


async def _page(request: Request) -> Response:
    text, policy = served()
    return _answer(text, "text/html", headers={"Content-Security-Policy": policy})


async def _static(request: Request) -> Response:
    name = request.url.path.removeprefix("/static/")
    return _answer(static(name), MEDIA_TYPES[name.rpartition(".")[2]])


async def _ask(request: Request) -> Response:
    decode, answer = QUESTIONS[request.url.path.removeprefix("/api/")]
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _error(415, "the body must be JSON, with the header Content-Type: application/json")
    try:
        asked = decode(await asyncio.wait_for(_body(request), BODY_SECONDS))
        return _answer(await _in_thread(lambda: encode(answer(asked)), _cost(asked)), "application/json")
    except TimeoutError:
        return _error(408, f"the body did not arrive within {BODY_SECONDS} seconds")
    except ClientDisconnect:
        return _error(400, "the connection ended before the body did")
    except ByhandError as error:
        return _error(422, str(error))
    except (ValueError, RecursionError) as error:
        return _error(400, str(error))


class Desk:
    """Where requests wait for the engine: few are worked on at a time, the quick ones first, and not too many wait."""

    def __init__(self, at_work: int = 2, most_waiting: int = 24) -> None:
        self.free = at_work
        self.most_waiting = most_waiting
        self.waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self.count = 0

    async def enter(self, cost: int) -> None:
        """Wait for a turn; whoever leaves calls `leave`.

        Raises
        ------
        HTTPException
            With status 503 if too many wait already.
        """
        if self.free:
            self.free -= 1
            return
        if len(self.waiting) >= self.most_waiting:
            raise HTTPException(503, "too many requests are waiting: try again in a moment")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.count += 1
        heapq.heappush(self.waiting, (cost, self.count, turn))
        await turn

    def leave(self) -> None:
        """Hand the turn on to the quickest that waits."""
        while self.waiting:
            *_, turn = heapq.heappop(self.waiting)
            if not turn.cancelled():
                turn.set_result(None)
                return
        self.free += 1


_desk = Desk()


def _cost(asked: object) -> int:
    if isinstance(asked, schema.LandscapeRequest):
        return POINTS
    return asked.epochs if isinstance(asked, schema.Request) and asked.action == "epochs" else 1


async def _in_thread(work: Callable[[], bytes], cost: int) -> bytes:
    """Let the engine work beside the server, in a thread that Ctrl-C does not wait for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def hand_back(answer: bytes | None, error: Exception | None) -> None:
        _desk.leave()
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(answer or b"")

    def run() -> None:
        outcome: tuple[bytes | None, Exception | None]
        try:
            outcome = work(), None
        except Exception as error:
            outcome = None, error
        with suppress(RuntimeError):  # the server has ended meanwhile
            loop.call_soon_threadsafe(hand_back, *outcome)

    await _desk.enter(cost)
    threading.Thread(target=run, daemon=True).start()
    return await done


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > schema.MAX_BYTES:
            raise HTTPException(413, f"a request has at most {schema.MAX_BYTES} bytes")
    return bytes(body)


async def _http_error(request: Request, error: HTTPException) -> Response:
    return _error(error.status_code, error.detail)


async def _bug(request: Request, error: Exception) -> Response:
    return _error(500, "a mistake in byhand itself: please report it, with what you did")
