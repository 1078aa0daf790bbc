"""The real binary as a process: started on free ports, asked over HTTP, stopped, killed, and its log read."""

import http.client
import json
import os
import signal
import ssl
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from kit.wait import PATIENCE_S, eventually

#: Servers of this run, so that the logs of a failed test can be shown and none is left behind.
STARTED: list["Server"] = []

#: Settings of every server: ports are free ones, logs can be read by a program.
COMMON_FLAGS = [
    "--listen-http=127.0.0.1:0",
    "--listen-otlp-http=127.0.0.1:0",
    "--listen-otlp-grpc=127.0.0.1:0",
    "--log-format=json",
]

#: On a machine that is busy with other things, a drain may take longer than users are promised. Where the time matters, a
#: test sets it.
COMMON_SETTINGS = {"shutdown.timeout": "60s"}

#: Traces go to blocks about a second after their last span.
QUICK_FLUSH = {"live.flush_interval": "1s", "live.decision_wait": "500ms", "live.root_idle": "100ms"}
#: Spans stay in memory for the whole test, unless the server is stopped.
NO_FLUSH = {"live.flush_interval": "1h", "live.decision_wait": "30m"}


def binary() -> str:
    """The program under test."""
    path = os.environ.get("THROUGHLINE_BIN")
    assert path, "set THROUGHLINE_BIN to the program, or run `cargo xtask e2e`"
    return path


@dataclass
class Answer:
    """What a server said over HTTP. Names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(
    address: str,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """One request on a connection of its own."""
    if tls:
        connection = http.client.HTTPSConnection(address, timeout=PATIENCE_S, context=tls)
    else:
        connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        answered = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, answered, response.read())
    finally:
        connection.close()


@dataclass
class Server:
    """A process of `throughline serve`, or of another command that serves."""

    #: Of its logs.
    name: str
    data_dir: Path
    settings: dict[str, str] = field(default_factory=dict)
    command: str = "serve"
    flags: list[str] = field(default_factory=list)
    #: Pieces of WARN and ERROR lines that the test provokes. Any other such line fails the test.
    announced: list[str] = field(default_factory=list)
    #: How it is spoken to where it listens with TLS.
    tls: ssl.SSLContext | None = None

    def __post_init__(self):
        self.starts = 0
        self.process: subprocess.Popen | None = None
        STARTED.append(self)

    # Life

    def start(self, wait: bool = True) -> "Server":
        """Starts the process, again over the same data if it had ended, and waits until it is ready."""
        assert self.process is None, "it runs already"
        self.starts += 1
        folder = self.data_dir.parent
        self.log_path = folder / f"{self.name}.{self.starts}.log"
        self.out_path = folder / f"{self.name}.{self.starts}.out"
        settings = [f"--set={path}={value}" for path, value in (COMMON_SETTINGS | self.settings).items()]
        command = [binary(), self.command, f"--data-dir={self.data_dir}", *COMMON_FLAGS, *settings, *self.flags]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
        with open(self.log_path, "wb") as log, open(self.out_path, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, env=clean, start_new_session=True)
        if wait:
            self.wait_for_log("ready")
        return self

    def stop(self, within_s: float = PATIENCE_S) -> int:
        """Ends it as an orchestrator does, and returns the exit code. It must be ready."""
        self.signal(signal.SIGTERM)
        return self.ended(within_s)

    def restart(self) -> "Server":
        """Stops it cleanly, so that everything is in blocks, and starts it again over them."""
        assert self.stop() == 0, "the shutdown was not clean"
        return self.start()

    def kill(self):
        """Ends it as a crash does."""
        self.signal(signal.SIGKILL)
        assert self.ended() == -signal.SIGKILL

    def signal(self, number: int):
        assert self.process, "it does not run"
        self.process.send_signal(number)

    def ended(self, within_s: float = PATIENCE_S) -> int:
        """Waits for the end of the process and checks what it logged."""
        assert self.process, "it does not run"
        code = self.process.wait(within_s)
        self.process = None
        self.check_log()
        return code

    def abandon(self):
        """Ends what a failed test left running."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    # Words

    def log(self) -> list[dict]:
        """The lines of the log since the last start that are whole."""
        lines = self.log_path.read_text(errors="replace").split("\n")[:-1]
        return [json.loads(line) if line.startswith("{") else {"level": "ERROR", "message": line} for line in lines]

    def wait_for_log(self, message: str, patience_s: float = PATIENCE_S) -> dict:
        """Waits for a line; fails at once when the process has ended without it."""

        def look():
            has_ended = self.process is None or self.process.poll() is not None
            found = next((line for line in self.log() if line.get("message") == message), None)
            assert found or not has_ended, f"the server has ended and never logged {message!r}"
            return found

        return eventually(look, f"{message!r} in the log", patience_s)

    def check_log(self):
        """Nothing may be worth a warning that the test has not announced."""
        worrying = [line for line in self.log() if line.get("level") in ("WARN", "ERROR")]
        unannounced = [line for line in worrying if not any(known in json.dumps(line) for known in self.announced)]
        assert not unannounced, f"unannounced lines in the log: {unannounced[:5]}"

    # Questions

    def address(self, listener: str) -> str:
        for line in self.log():
            if line.get("message") == "listening" and line.get("listener") == listener:
                return line["address"]
        raise AssertionError(f"{listener} is not listening")

    @property
    def http(self) -> str:
        return self.address("http")

    @property
    def otlp_http(self) -> str:
        return self.address("otlp_http")

    @property
    def otlp_grpc(self) -> str:
        return self.address("otlp_grpc")

    def get(self, path: str, **headers: str) -> Answer:
        """Asks the port of the page and the APIs; `_` in a header's name stands for `-`."""
        return ask(self.http, "GET", path, {name.replace("_", "-"): value for name, value in headers.items()}, tls=self.tls)

    def json(self, path: str):
        answer = self.get(path)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text}"
        return answer.json()

    def post(self, body: bytes, content_type: str = "application/x-protobuf", **headers: str) -> Answer:
        """Sends OTLP over HTTP."""
        named = {"content-type": content_type} | {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.otlp_http, "POST", "/v1/traces", named, body, tls=self.tls)

    def metrics(self) -> dict[str, float]:
        """All metrics, by name with labels as in the text, without the prefix."""
        answer = self.get("/metrics")
        assert answer.status == 200, answer.text
        lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
        assert answer.text.endswith("# EOF\n"), "the text of the metrics is not whole"
        samples = (line.rsplit(" ", 1) for line in lines)
        return {name.removeprefix("throughline_"): float(value) for name, value in samples}

    def wait_for_law(self) -> "Law":
        """Waits until nothing is just being counted and the law of the system holds."""
        eventually(lambda: self.law().holds, "received = stored + sampled out + rejected + in flight")
        return self.law()

    def law(self) -> "Law":
        return Law.of(self.metrics())

    def wait_until_stored(self) -> "Law":
        """Waits until no span waits for its block."""

        def look():
            law = self.law()
            return law if law.holds and law.in_flight == 0 else None

        return eventually(look, "all spans in blocks")

    def peak_memory_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


@dataclass
class Law:
    """What became of the spans that a process has received."""

    received: int
    stored: int
    sampled_out: int
    rejected: dict[str, int]
    in_flight: int
    replayed: int

    @staticmethod
    def of(metrics: dict[str, float]) -> "Law":
        prefix = 'spans_rejected_total{reason="'
        rejected = {name.removeprefix(prefix).removesuffix('"}'): int(value) for name, value in metrics.items() if name.startswith(prefix)}
        count = lambda name: int(metrics[name])
        return Law(
            received=count("spans_received_total"),
            stored=count("spans_stored_total"),
            sampled_out=count("spans_sampled_out_total"),
            rejected=rejected,
            in_flight=count("spans_in_flight"),
            replayed=count("spans_replayed_total"),
        )

    @property
    def holds(self) -> bool:
        return self.received == self.stored + self.sampled_out + sum(self.rejected.values()) + self.in_flight
