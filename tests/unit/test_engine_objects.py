"""Reaching a cluster, or the sentence why not."""

import socket
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from engine import EngineError
from engine.objects import Objects


def test_a_port_where_nobody_listens_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{free.getsockname()[1]}"
    objects = Objects(str(_kubeconfig(tmp_path, url)), "prod", local=True)
    with pytest.raises(EngineError) as told:
        objects.ping("kubernetes:context in Pulumi.prod.yaml")
    assert str(told.value) == (
        f"No cluster answers at {url} (context 'prod'): connection refused. "
        "Start it, or correct kubernetes:context in Pulumi.prod.yaml."
    )


@pytest.mark.parametrize(("status", "said"), [(401, "does not accept the credentials"), (502, "is no Kubernetes API")])
def test_an_answer_that_is_a_refusal_is_told(tmp_path: Path, answering: list[int], status: int, said: str) -> None:
    port, answering[0] = answering[1], status
    objects = Objects(str(_kubeconfig(tmp_path, f"http://127.0.0.1:{port}")), "prod", local=True)
    with pytest.raises(EngineError, match=said):
        objects.ping("x")


def test_an_api_that_is_not_served_has_no_items(tmp_path: Path, answering: list[int]) -> None:
    port, answering[0] = answering[1], 404
    objects = Objects(str(_kubeconfig(tmp_path, f"http://127.0.0.1:{port}")), "prod", local=True)
    assert objects.list("/apis/none/v1/things") == []


@pytest.fixture
def answering() -> Generator[list[int]]:
    """A server that answers each request with the status at [0]; its port is at [1]."""
    answer = [200, 0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer[0])
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    answer[1] = server.server_port
    Thread(target=server.serve_forever, daemon=True).start()
    yield answer
    server.shutdown()
    server.server_close()


def _kubeconfig(folder: Path, url: str) -> Path:
    path = folder / "config"
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "prod",
                "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "users": [{"name": "u", "user": {}}],
            }
        )
    )
    return path
