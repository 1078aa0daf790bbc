//! Running the program.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// No start or end of a test's server takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program with a clean environment.
pub(crate) fn throughline() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throughline"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("THROUGHLINE_")) {
        command.env_remove(name);
    }
    command
}

/// What a run said, with its exit code.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs to the end.
pub(crate) fn run(args: &[&str]) -> Run {
    Run::from(throughline().args(args).output().unwrap())
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A server on free ports.
pub(crate) struct Server {
    child: Child,
    log: Arc<Mutex<Vec<Value>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Starts a server over a data folder and waits until it is ready.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub(crate) fn start_with(data: &Path, args: &[&str]) -> Self {
        let mut command = throughline();
        command
            .arg("serve")
            .arg("--data-dir")
            .arg(data)
            .args(["--log-format", "json"]);
        for flag in ["--listen-http", "--listen-otlp-http", "--listen-otlp-grpc"] {
            if !args.contains(&flag) {
                command.args([flag, "127.0.0.1:0"]);
            }
        }
        let mut child = command.args(args).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, written) = (
            BufReader::new(child.stderr.take().unwrap()).lines(),
            Arc::clone(&log),
        );
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let entry = serde_json::from_str(&line).unwrap_or(Value::String(line));
                written.lock().unwrap().push(entry);
            }
        });
        let server = Self {
            child,
            log,
            reader: Some(reader),
        };
        server.wait_for(|entry| entry["message"] == "ready");
        server
    }

    /// Waits for a line of the log.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            if let Some(found) = self.log.lock().unwrap().iter().find(|entry| wanted(entry)) {
                return found.clone();
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "not logged: {:#?}",
                self.log.lock().unwrap()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The lines of the log at a level.
    pub(crate) fn logged(&self, level: &str) -> Vec<Value> {
        self.log
            .lock()
            .unwrap()
            .iter()
            .filter(|entry| entry["level"] == level)
            .cloned()
            .collect()
    }

    fn address(&self, listener: &str) -> SocketAddr {
        let line =
            self.wait_for(|entry| entry["message"] == "listening" && entry["listener"] == listener);
        line["address"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.address("http")
    }

    pub(crate) fn otlp_http(&self) -> SocketAddr {
        self.address("otlp_http")
    }

    pub(crate) fn otlp_grpc(&self) -> SocketAddr {
        self.address("otlp_grpc")
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        ask(self.http(), &format!("GET {path} HTTP/1.1\r\n"), "")
    }

    /// Sends OTLP/JSON.
    pub(crate) fn send(&self, json: &str) -> (u16, String) {
        let head = "POST /v1/traces HTTP/1.1\r\ncontent-type: application/json\r\n";
        ask(self.otlp_http(), head, json)
    }

    /// The value of a metric, which is named with its labels as in the text.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let (_, text) = self.get("/metrics");
        let value_of = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        text.lines()
            .find_map(value_of)
            .unwrap_or_else(|| panic!("{name} is not in {text}"))
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; gives the exit code (-1: a signal) and the log.
    pub(crate) fn ended(mut self) -> (i32, Vec<Value>) {
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let log = std::mem::take(&mut *self.log.lock().unwrap());
        (status.code().unwrap_or(-1), log)
    }

    /// Ends it as an orchestrator does.
    pub(crate) fn stop(self) -> i32 {
        self.signal("-TERM");
        self.ended().0
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(self) {
        self.signal("-KILL");
        self.ended();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended, or a failed test leaves it behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(address: SocketAddr, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "{head}host: test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let is_chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    (
        status,
        if is_chunked {
            dechunked(body)
        } else {
            body.to_owned()
        },
    )
}

fn dechunked(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        text.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    text
}

/// A request with one trace of so many spans; `number` makes its id.
pub(crate) fn trace_json(number: u32, spans: u32) -> String {
    let spans: Vec<Value> = (1..=spans)
        .map(|span| {
            serde_json::json!({
                "traceId": trace_id(number),
                "spanId": format!("{span:016x}"),
                "parentSpanId": if span == 1 { "" } else { "0000000000000001" },
                "name": format!("operation {span}"),
                "startTimeUnixNano": format!("{}", 1_795_253_400_000_000_000_u64 + u64::from(span)),
                "endTimeUnixNano": format!("{}", 1_795_253_400_250_000_000_u64),
            })
        })
        .collect();
    serde_json::json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeSpans": [{"spans": spans}],
    }]})
    .to_string()
}

pub(crate) fn trace_id(number: u32) -> String {
    format!("{:032x}", 0xabc0_0000_0000_u64 + u64::from(number))
}

/// The spans that a server has of a trace.
pub(crate) fn span_count(server: &Server, number: u32) -> usize {
    let (status, body) = server.get(&format!("/api/v1/traces/{}", trace_id(number)));
    if status == 404 {
        return 0;
    }
    assert_eq!(status, 200, "{body}");
    let found: Value = serde_json::from_str(&body).unwrap();
    let resources = found["resourceSpans"].as_array().unwrap().iter();
    let scopes = resources.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
    scopes
        .map(|scope| scope["spans"].as_array().unwrap().len())
        .sum()
}
