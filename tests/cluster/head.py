"""A head that answers as Ray's does, over real HTTP, and says of its jobs what a test wants it to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Head:
    """`jobs` are those it was given, with what it says of them; `token` is the one that it asks for; `nodes` are its
    nodes, as (processors taken, processors)."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.jobs: dict[str, dict[str, Any]] = {}
        self.stopped: list[str] = []
        self.token = ""
        self.page = ""
        self.nodes: list[tuple[int, int]] = []

    def answer(self, method: str, path: str, body: bytes, authorization: str) -> tuple[int, Any]:
        if self.page:
            return 200, self.page
        if self.token and authorization != f"Bearer {self.token}":
            return (403, "Forbidden: Invalid authentication token") if authorization else (401, "Unauthorized")
        if path == "/api/version":
            return 200, {"ray_version": "2.60.0"}
        if (method, path) == ("POST", "/api/jobs/"):
            asked = json.loads(body)
            self.jobs[asked["submission_id"]] = {**asked, "status": "PENDING"}
            return 200, {"submission_id": asked["submission_id"]}
        if path.startswith("/nodes"):
            return 200, {"data": self.summary()}
        if path == "/api/jobs/":
            return 200, list(self.jobs.values())
        name = path.split("/")[3]
        if name not in self.jobs:
            return 404, f"Job {name} does not exist"
        if path.endswith("/stop"):
            self.stopped.append(name)
            return 200, {"stopped": True}
        return 200, {"type": "SUBMISSION", **self.jobs[name]}

    def summary(self) -> dict[str, Any]:
        """Its nodes in Ray's words."""
        taken = {
            f"{place:06}": f"{used:.1f}/{whole:.1f} CPU\n0B/8.00GiB memory"
            for place, (used, whole) in enumerate(self.nodes)
        }
        nodes = [
            {
                "gpus": [],
                "raylet": {
                    "nodeId": name,
                    "nodeManagerHostname": f"node-{int(name)}",
                    "nodeManagerAddress": f"192.0.2.{int(name)}",
                    "state": "ALIVE",
                    "isHeadNode": not int(name),
                    "resourcesTotal": {"CPU": 1.0},
                },
            }
            for name in taken
        ]
        return {"summary": nodes, "nodeLogicalResources": taken}

    def say(self, status: str, **more: Any) -> None:
        """Say this of all jobs from now on."""
        for job in self.jobs.values():
            job.update(status=status, **more)


@contextmanager
def head() -> Iterator[Head]:
    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, said = there.answer(self.command, self.path, body, self.headers.get("Authorization", ""))
            content = (said if isinstance(said, str) else json.dumps(said)).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there = Head(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
