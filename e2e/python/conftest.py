"""Servers for tests, and their logs beside the failures."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kit.server import STARTED, Server

#: Lines of each server's log that are shown when a test has failed.
LOG_LINES_SHOWN = 60


def pytest_addoption(parser: pytest.Parser):
    parser.addoption("--rounds", type=int, default=3, help="rounds of the crash loop")
    parser.addoption("--seed", type=int, default=None, help="seed of the crash loop; printed by a run without one")


def pytest_configure(config: pytest.Config):
    # No variable of the machine may change what the SDKs do, or send them through a proxy.
    for name in [name for name in os.environ if name.startswith("OTEL_") or name.lower().endswith(("_proxy", "_ca_bundle"))]:
        del os.environ[name]
    if config.option.seed is None:
        config.option.seed = random.randrange(1 << 32)


@pytest.fixture(scope="session")
def rounds(request: pytest.FixtureRequest) -> int:
    return request.config.option.rounds


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    return request.config.option.seed


ServerMaker = Callable[..., Server]


def make_servers(folder: Path) -> Iterator[ServerMaker]:
    made: list[Server] = []

    def make(settings: dict[str, str] | None = None, data_dir: Path | None = None, **rest) -> Server:
        name = f"server-{len(made)}"
        server = Server(name, data_dir or folder / name, settings or {}, **rest)
        made.append(server)
        return server

    yield make
    try:
        for server in made:
            if server.process:
                assert server.stop() == 0, "the shutdown was not clean"
    finally:
        for server in made:
            server.abandon()
            STARTED.remove(server)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[ServerMaker]:
    """Makes servers, not yet started, that end with the test."""
    yield from make_servers(tmp_path)


@pytest.fixture(scope="module")
def module_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerMaker]:
    """The same for all tests of a module."""
    yield from make_servers(tmp_path_factory.mktemp("module"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = (yield).get_result()
    if not report.failed:
        return
    for server in STARTED:
        if server.starts:
            for path in (server.log_path, server.out_path):
                lines = path.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
                report.sections.append((f"{path.name} of {server.command} over {server.data_dir}", "\n".join(lines)))
