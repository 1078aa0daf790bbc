"""The page in a browser, against the demo: the tests of `ui/e2e`, which click what a person clicks."""

import os
import re
import subprocess
from pathlib import Path

from kit.server import Server, ask
from kit.wait import eventually

UI = Path(__file__).parents[2] / "ui"
#: For the whole suite of the page, which bounds its single tests itself.
SUITE_S = 900


def demo(servers) -> tuple[Server, str]:
    """A running demo and the link that it prints when its hour of history is in."""
    server: Server = servers(command="demo", flags=["--log-level=info"]).start()
    link = eventually(lambda: re.search(r"^\s*(http://\S+)$", server.out_path.read_text(), re.M), "the link to the page")
    return server, link[1]


def test_the_page_works_in_a_browser(servers):
    server, link = demo(servers)
    environment = os.environ | {"BASE_URL": link, "OTLP_URL": f"http://{server.otlp_http}"}
    run = subprocess.run(["npm", "run", "e2e"], cwd=UI, env=environment, capture_output=True, text=True, timeout=SUITE_S)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_demo_tells_its_stories_and_ends_cleanly(servers):
    """An hour of twenty or more services, traces with errors and slow ones, live traffic that goes on."""
    server, link = demo(servers)
    assert link == f"http://{server.http}"
    page = ask(server.http, "GET", "/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    services = server.json("/api/v1/services")["services"]
    assert len(services) >= 20 and all(service["spans"] for service in services)
    [oldest] = server.json("/api/v1/traces?limit=1&order=slowest&error=true")["traces"]
    assert int(oldest["durationNanos"]) > 3e9, "payment calls that run into timeouts of 3 s"
    before = server.law().received
    eventually(lambda: server.law().received > before, "live traffic")
    server.wait_for_law()
