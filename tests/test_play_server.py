"""The server of the page: on loopback only, for its own page only, and never with a traceback."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from importlib.metadata import distribution
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from byhand.errors import ByhandError
from byhand.installation import installation
from byhand.play import page, schema, site
from byhand.play.records import encode
from byhand.play.server import Desk, listen
from byhand.play.stories import preset_of

COMMAND = [sys.executable, "-m", "byhand", "play", "--no-browser"]


@contextmanager
def running(*options):
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child, int(child.stdout.readline().rstrip("/\n").rpartition(":")[2])
        finally:
            child.kill()


@pytest.fixture(scope="module")
def port():
    with running("--port", str(free_port())) as (child, port):
        yield port
        child.send_signal(signal.SIGINT)
        _, err = child.communicate()
        assert err.split("\n") == ["Ctrl-C ends it.", "", "byhand: stopped", ""], (
            "nothing else is ever said, whatever was asked"
        )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, method="GET", path="/", body=None, **headers):
    """Send one request; return status, headers and body."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def step(port, body, **headers):
    return ask(port, "POST", "/api/step", body, **({"Content_Type": "application/json"} | headers))


def a_request():
    return encode(schema.Request(preset_of("seed-44").config))


def error_of(answer):
    status, _, body = answer
    message = json.loads(body)["error"]
    assert message
    assert "Traceback" not in message
    return status, message


def test_it_hands_out_its_page_and_nothing_else(port):
    status, headers, body = ask(port)
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    addresses = {address.decode() for address in re.findall(rb'"(/static/[^"]+)"', body)}
    for address in addresses:
        assert ask(port, path=address)[0] == 200, address
    assert {Path(address).name for address in addresses} == {
        file.name for file in (Path(page.__file__).parent / "static").iterdir() if file.suffix in (".js", ".css")
    } - {site.WORKER}
    for font in page.FONTS:
        status, headers, body = ask(port, path=f"/static/{font}")
        assert (status, headers["Content-Type"], body[:4]) == (200, "font/woff2", b"wOF2")
    others = [
        "/static/",
        "/static/index.html",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/server.py",
        "//etc/passwd",
        "/api",
    ]
    for path in others:
        assert error_of(ask(port, path=path))[0] == 404, path


def test_it_answers(port):
    status, headers, body = step(port, a_request())
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body)["train_loss"] == 2.0
    asked = encode(schema.ListingRequest(preset_of("seed-44").config))
    status, _, body = ask(port, "POST", "/api/listing", asked, Content_Type="application/json")
    assert status == 200
    assert "np.random.seed(44)" in json.loads(body)["numpy"]


def test_a_story_is_told_and_an_unknown_one_refused(port):
    def of(name):
        return ask(port, "POST", "/api/story", json.dumps({"id": name}), Content_Type="application/json")

    status, _, body = of("seed-44")
    assert status == 200
    assert len(json.loads(body)["beats"]) == 6
    assert error_of(of("seed-45"))[0] == 422


def test_the_page_evaluates_no_text(port):
    assert "unsafe" not in ask(port)[1]["Content-Security-Policy"]


def test_half_sent_heads_block_nobody_and_are_hung_up_on(port):
    with ExitStack() as stack:
        halves = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(60)]
        for half in halves:
            half.sendall(b"POST /api/step HTTP/1.1\r\nHost: ")
        assert step(port, a_request())[0] == 200
        assert halves[0].recv(100) == b"", "after a few seconds"


def test_what_is_quick_goes_before_what_is_dear_and_the_queue_is_bounded():
    async def day():
        desk, served = Desk(at_work=1, most_waiting=3), []

        async def visit(cost):
            await desk.enter(cost)
            served.append(cost)
            await asyncio.sleep(0)
            desk.leave()

        visits = [asyncio.create_task(visit(cost)) for cost in (9, 8, 1, 5)]
        await asyncio.sleep(0)
        with pytest.raises(HTTPException, match="too many"):
            await desk.enter(1)
        visits[1].cancel()
        await asyncio.gather(*visits, return_exceptions=True)
        await desk.enter(1)  # free again
        return served

    assert asyncio.run(day()) == [9, 1, 5]


def test_it_listens_on_loopback_only(port):
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        if not address.startswith("127."):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((address, port), timeout=5)
    with listen(None) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert listener.proto == socket.IPPROTO_TCP, "or else each answer waits 40 ms"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:PORT"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1.evil.example:PORT"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1:PORT"},
        {"Origin": "http://127.0.0.1:PORT.evil.example"},
        {"Sec_Fetch_Site": "cross-site", "Origin": "http://127.0.0.1:PORT"},
    ],
    ids=str,
)
def test_other_sites_are_refused(port, headers):
    headers = {name: value.replace("PORT", str(port)) for name, value in headers.items()}
    assert error_of(step(port, a_request(), **headers))[0] == 403
    assert error_of(ask(port, **headers))[0] == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_its_own_names_are_let_in(port, host):
    own = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}", "Sec_Fetch_Site": "same-origin"}
    assert step(port, a_request(), **own)[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "Expecting value"),
        (b"{", 400, "Expecting property name"),
        (b"\xff\xfe", 400, "Expecting value"),
        (b"\xc3\x28", 400, "can't decode byte 0xc3"),
        (b"NaN", 400, "NaN is not JSON"),
        (b"[" * 100_000, 400, "recursion"),
        (b'{"config":' * 5000, 400, "recursion|Expecting"),
        (b"[]", 422, r"question: an object is expected, not \[\]"),
        (b"{}", 422, "question: an object with config is expected, not {}"),
        (
            a_request().replace(b'"learning_rate":0.001', b'"learning_rate":-1'),
            422,
            r"question.config.training.learning_rate: a number above 0 up to 1,000,000 is expected, not -1$",
        ),
        (a_request().replace(b'"learning_rate":0.001', b'"learning_rate":1e999'), 422, "is expected, not Infinity"),
        (a_request().replace(b'"learning_rate":0.001', b'"learning_rate":true'), 422, "is expected, not true"),
        (a_request().replace(b'"relu"', b'"rellu"', 1), 422, r'activations\[0\]: one of .*relu.* not "rellu"'),
        (a_request().replace(b'"seed":44', b'"seed":' + b"9" * 5000), 400, "4300 digits"),
        (a_request().replace(b'"seed":44', b'"seed":' + b"9" * 4000), 422, "from 0 up to 4,294,967,295 .*999…"),
        (a_request().replace(b'"seed":44', b'"seed":44.5'), 422, "a whole number from 0 .* not 44.5"),
        (
            a_request().replace(b"[10]", b"[100]"),
            422,
            r"hidden\[0\]: a whole number from 1 up to 16 is expected, not 100",
        ),
        (a_request().replace(b"[10]", b"[1,1,1,1,1]"), 422, "a list of at most 4 is expected"),
        (a_request().replace(b"{", b'{"surprise":1,', 1), 422, 'question: one of config, .*, not "surprise"'),
        (a_request().replace(b'"epochs":1,', b'"epochs":100000,', 1), 422, "from 1 up to 1,000 is expected"),
        (a_request().replace(b'"state":null', b'"state":{"parameters":[1,"2"]}'), 422, "a list of numbers of at most"),
        (a_request().replace(b'"with_data":false', b'"with_data":0'), 422, "true or false is expected, not 0"),
    ],
    ids=range(22),
)
def test_what_is_malformed_is_told(port, body, status, message):
    answered, told = error_of(step(port, body))
    assert answered == status
    assert re.search(message, told), told


def test_other_errors_are_told_too(port):
    assert error_of(step(port, a_request(), Content_Type="text/plain"))[0] == 415
    assert error_of(ask(port, "GET", "/api/step"))[0] == 405
    assert error_of(ask(port, "DELETE", "/"))[0] == 405
    assert error_of(step(port, b" " * (schema.MAX_BYTES + 1)))[0] == 413
    no_activation = a_request().replace(b'["relu","relu"]', b'["relu"]')
    assert error_of(step(port, no_activation)) == (422, "2 layers need 2 activations, not 1")


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_requests_get_no_server_error(port, data):
    body = bytearray(a_request())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 5))] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"null", b"1e400", b"[[", b'"', b"-"])
        )
    status, _, answer = step(port, bytes(body))
    assert status in (200, 400, 422), answer


def test_raw_nonsense_is_answered_or_hung_up_on_and_it_lives_on(port):
    for nonsense in (
        b"\x00" * 1000,
        b"GET\r\n\r\n",
        b"POST /api/step HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"A" * 200_000,
    ):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            try:
                connection.sendall(nonsense)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(100)
            except OSError:  # it has hung up already
                answer = b""
            assert answer[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 431")
    assert step(port, a_request())[0] == 200


def test_a_body_that_is_cut_off_harms_nobody(port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = [
            "POST /api/step HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Content-Type: application/json",
            "Content-Length: 5",
        ]
        connection.sendall("\r\n".join([*head, "", "{"]).encode())
    assert step(port, a_request())[0] == 200


def test_ctrl_c_ends_it_at_once_even_while_it_works():
    slow = schema.Config(schema.Data("moons", 500), schema.Model([16] * 4, ["tanh"] * 5), schema.Training())
    with running("--port", str(free_port())) as (child, port), ExitStack() as open_connections:

        def connection():
            return open_connections.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port)))

        idle = connection()
        idle.request("GET", "/")
        idle.getresponse().read()  # and stays open, as a browser's does
        half = open_connections.enter_context(socket.create_connection(("127.0.0.1", port)))
        half.sendall(b"POST /api/step HTTP/1.1\r\n")
        body = encode(schema.Request(slow, None, "epochs", 400))
        connection().request("POST", "/api/step", body, {"Content-Type": "application/json"})
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate()  # while the connections are still open
    assert (child.returncode, out) == (130, "")
    assert err.split("\n") == ["Ctrl-C ends it.", "", "byhand: stopped", ""]


def test_a_port_that_is_taken():
    with listen(None) as listener:
        taken = listener.getsockname()[1]
        listener.listen()
        with pytest.raises(ByhandError, match=f"port {taken} cannot be used"):
            listen(taken)
        with listen(None) as other:  # a free one, when none was asked for
            assert other.getsockname()[1] != taken


def run(*arguments):
    answer = subprocess.run(
        [sys.executable, "-m", "byhand", "play", *map(str, arguments)], capture_output=True, text=True
    )
    return answer.returncode, answer.stdout, answer.stderr


def test_the_command_says_what_is_wrong_in_one_line(tmp_path):
    code, out, err = run("--from", "seed-45", "--export", tmp_path / "run.html")
    assert (code, out) == (1, "")
    assert err.startswith("byhand: there is no story 'seed-45'; there are walk, sigmoid-learns, relu-sometimes, ")
    code, out, err = run("--from", "http://127.0.0.1:8050/#s=AAAA", "--export", tmp_path / "run.html")
    assert (code, out) == (1, "")
    assert err == "byhand: the link is damaged or cut off: copy it again from the page\n"
    code, out, err = run("--export", tmp_path / "nowhere" / "run.html", "--epochs", 1)
    assert (code, out) == (1, "")
    assert err.startswith("byhand: cannot write")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("library", ["h11", "starlette", "uvicorn"])
def test_a_missing_library_is_told_with_what_installs_it(library):
    program = f"import sys; sys.modules[{library!r}] = None; import byhand.__main__"
    answer = subprocess.run([sys.executable, "-c", program, "play"], capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert (
        answer.stderr
        == f"byhand: {library} is not installed; to get it: {installation(distribution('byhand'), 'play')}\n"
    )
