"""What Prometheus' client makes of a server that is not well, and of one that is none."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from budgets import BudgetsError
from budgets.prometheus import TOKEN, Prometheus, Unreachable
from components.observability.alert import Severity
from components.slo.indicators import Probe
from components.slo.objective import Slo
from components.slo.rules import rules

Answer = Callable[[dict[str, str], dict[str, str]], tuple[int, bytes, dict[str, str]]]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Starts a server that answers as told; its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, body, headers = answer({key: value[0] for key, value in form.items()}, dict(self.headers))
                self.send_response(status)
                for item in headers.items():
                    self.send_header(*item)
                # Who has waited too long is gone.
                with suppress(OSError):
                    self.end_headers()
                    self.wfile.write(body)

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _says(code: int, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    def answer(form: dict[str, str], sent: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        return code, body, headers or {}

    return answer


def _error(code: int, message: str) -> Answer:
    return _says(code, json.dumps({"status": "error", "error": message}).encode())


@pytest.mark.parametrize(
    ("answer", "message", "unreachable"),
    [
        (_error(400, "parse error"), r"refuses the query 'up': parse error", False),
        (_error(503, "shutting down"), "cannot answer now: shutting down", True),
        (_says(200, b"<html>Sign in</html>"), "is no Prometheus; correct the address", True),
        (_says(200, b'{"data": []}'), "is no Prometheus; correct the address", True),
        (_says(502, b"Bad Gateway"), r"in trouble \(HTTP 502\)", True),
        (_says(401, b""), f"asks for a sign-in \\(401\\): put a token into the .* {TOKEN}", True),
        (_says(302, b"", {"Location": "/login"}), r"\(HTTP 302\)", True),
    ],
)
def test_what_goes_wrong_is_a_sentence(
    serve: Callable[[Answer], str], answer: Answer, message: str, unreachable: bool
) -> None:
    with pytest.raises(BudgetsError, match=message) as error:
        Prometheus(serve(answer)).instant("up", 0)
    assert isinstance(error.value, Unreachable) == unreachable


def test_a_server_that_does_not_answer_in_time_is_unreachable(serve: Callable[[Answer], str]) -> None:
    awake = threading.Event()

    def slow(*_: Any) -> tuple[int, bytes, dict[str, str]]:
        awake.wait(5)
        return 200, b"", {}

    with pytest.raises(Unreachable, match="it takes too long"):
        Prometheus(serve(slow), seconds=0.2).instant("up", 0)
    awake.set()


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://x", "https://ana:secret@prometheus.example", "https://"])
def test_an_address_is_checked_and_no_password_repeated(url: str) -> None:
    with pytest.raises(BudgetsError, match="must be like https://") as error:
        Prometheus(url)
    assert "secret" not in str(error.value)


def test_the_token_is_sent(serve: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "t0ken")
    seen: list[str] = []

    def answer(_: dict[str, str], headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        seen.append(headers["Authorization"])
        return 200, b'{"data": {"resultType": "vector", "result": []}}', {}

    assert Prometheus(serve(answer)).instant("up", 0) == []
    assert seen == ["Bearer t0ken"]


def test_a_long_time_is_asked_for_in_parts_without_a_seam(serve: Callable[[Answer], str]) -> None:
    asked: list[int] = []

    def answer(form: dict[str, str], _: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        times = list(range(int(form["start"]), int(form["end"]) + 1, int(form["step"])))
        asked.append(len(times))
        result = [{"metric": {"slo": "a"}, "values": [[time, "1"] for time in times]}]
        return 200, json.dumps({"data": {"resultType": "matrix", "result": result}}).encode(), {}

    (series,) = Prometheus(serve(answer)).range("up", 60, 60 * 25_000, 60)
    assert [time for time, _ in series.points] == [60 * minute for minute in range(1, 25_001)]
    assert max(asked) <= 11_000


def test_what_is_asked_for_is_recorded() -> None:
    slo = Slo("web-reachable", "web", "t", 0.99, 30, Probe('probe_success{job="web"}'), "platform", Severity.P1)
    found = [rule for group in rules([slo], "https://runbooks", "https://dashboards") for rule in group["rules"]]
    recorded = {rule["record"] for rule in found if "record" in rule}
    assert recorded >= {
        *("slo:error_budget:ratio", "slo:budget_left:ratio", "slo:burn:ratio1h", "slo:burn:ratio6h"),
        *("slo:bad:increase5m", "slo:total:increase5m", "slo:bad:events", "slo:total:events"),
    }
    assert "SLOBurnsFast" in {rule["alert"] for rule in found if "alert" in rule}
    (line,) = [rule for rule in found if rule.get("record") == "slo:error_budget:ratio"]
    assert {"slo", "service", "owner", "page", "window"} <= set(line["labels"])
