//! Stack traces as the runtimes of each language print them.

use crate::language::Language;

/// A function, its file, and the line in it.
pub(crate) type Frame = (&'static str, &'static str, u32);

/// The stack trace of an exception thrown at the first of `frames`, with the frames of the framework below.
pub(crate) fn print(language: Language, kind: &str, message: &str, frames: &[Frame]) -> String {
    let all = frames.iter().chain(framework(language));
    match language {
        Language::Java => lines(
            &format!("{kind}: {message}"),
            all.map(|(function, file, line)| format!("\tat {function}({}:{line})", base(file))),
        ),
        Language::Python => {
            // Python prints the outermost call first and the exception last.
            let mut frames: Vec<&Frame> = all.collect();
            frames.reverse();
            let text = lines(
                "Traceback (most recent call last):",
                frames.into_iter().map(|(function, file, line)| {
                    format!("  File \"{file}\", line {line}, in {function}")
                }),
            );
            format!("{text}\n{kind}: {message}")
        }
        Language::Go => lines(
            &format!("{kind}: {message}\n\ngoroutine 4711 [running]:"),
            all.map(|(function, file, line)| format!("{function}(...)\n\t{file}:{line} +0x1d4")),
        ),
        Language::Dotnet => lines(
            &format!("{kind}: {message}"),
            all.map(|(function, file, line)| format!("   at {function} in {file}:line {line}")),
        ),
        Language::Php => lines(
            &format!("PHP Fatal error:  Uncaught {kind}: {message}\nStack trace:"),
            all.enumerate().map(|(place, (function, file, line))| {
                format!("#{place} {file}({line}): {function}()")
            }),
        ),
        Language::Ruby => {
            let (function, file, line) = frames.first().unwrap_or(&("main", "main.rb", 1));
            lines(
                &format!("{file}:{line}:in '{function}': {message} ({kind})"),
                all.skip(1)
                    .map(|(function, file, line)| format!("\tfrom {file}:{line}:in '{function}'")),
            )
        }
        Language::Rust => lines(
            &format!("{kind}: {message}"),
            all.enumerate().map(|(place, (function, file, line))| {
                format!("{place:>4}: {function}\n             at {file}:{line}")
            }),
        ),
        Language::Nodejs | Language::Erlang | Language::Cpp => lines(
            &format!("{kind}: {message}"),
            all.map(|(function, file, line)| format!("    at {function} ({file}:{line}:17)")),
        ),
    }
}

fn lines(head: &str, rest: impl Iterator<Item = String>) -> String {
    rest.fold(head.to_owned(), |text, line| text + "\n" + &line)
}

fn base(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// What is below the shop's own frames.
fn framework(language: Language) -> &'static [Frame] {
    match language {
        Language::Java => &[
            (
                "io.grpc.stub.ServerCalls$UnaryServerCallHandler$UnaryServerCallListener.onHalfClose",
                "ServerCalls.java",
                182,
            ),
            (
                "io.grpc.internal.ServerCallImpl$ServerStreamListenerImpl.halfClosed",
                "ServerCallImpl.java",
                357,
            ),
            (
                "io.grpc.internal.ServerImpl$JumpToApplicationThreadServerStreamListener$1HalfClosed.runInContext",
                "ServerImpl.java",
                882,
            ),
            (
                "io.grpc.internal.ContextRunnable.run",
                "ContextRunnable.java",
                37,
            ),
            (
                "io.grpc.internal.SerializingExecutor.run",
                "SerializingExecutor.java",
                133,
            ),
            (
                "java.base/java.util.concurrent.ThreadPoolExecutor.runWorker",
                "ThreadPoolExecutor.java",
                1090,
            ),
            ("java.base/java.lang.Thread.run", "Thread.java", 1474),
        ],
        Language::Python => &[
            (
                "_call_behavior",
                "/usr/local/lib/python3.13/site-packages/grpc/_server.py",
                610,
            ),
            (
                "_unary_response_in_pool",
                "/usr/local/lib/python3.13/site-packages/grpc/_server.py",
                716,
            ),
            (
                "run",
                "/usr/local/lib/python3.13/concurrent/futures/thread.py",
                59,
            ),
        ],
        Language::Go => &[
            (
                "google.golang.org/grpc.(*Server).processUnaryRPC",
                "/go/pkg/mod/google.golang.org/grpc@v1.77.0/server.go",
                1430,
            ),
            (
                "google.golang.org/grpc.(*Server).handleStream",
                "/go/pkg/mod/google.golang.org/grpc@v1.77.0/server.go",
                1828,
            ),
            (
                "created by google.golang.org/grpc.(*Server).serveStreams.func2",
                "/go/pkg/mod/google.golang.org/grpc@v1.77.0/server.go",
                1040,
            ),
        ],
        Language::Dotnet => &[
            (
                "Grpc.AspNetCore.Server.Internal.CallHandlers.UnaryServerCallHandler`3.HandleCallAsyncCore(HttpContext httpContext)",
                "/_/src/Grpc.AspNetCore.Server/Internal/CallHandlers/UnaryServerCallHandler.cs",
                59,
            ),
            (
                "Microsoft.AspNetCore.Routing.EndpointMiddleware.<Invoke>g__AwaitRequestTask|7_0(Endpoint endpoint, Task requestTask)",
                "/_/src/Http/Routing/src/EndpointMiddleware.cs",
                98,
            ),
        ],
        Language::Nodejs => &[
            (
                "process.processTicksAndRejections",
                "node:internal/process/task_queues",
                105,
            ),
            (
                "async renderToResponse",
                "/app/node_modules/next/dist/server/base-server.js",
                2304,
            ),
            (
                "async NextNodeServer.handleRequestImpl",
                "/app/node_modules/next/dist/server/base-server.js",
                915,
            ),
        ],
        Language::Php => &[
            (
                "Slim\\Handlers\\Strategies\\RequestResponse->__invoke",
                "/var/www/vendor/slim/slim/Slim/Routing/Route.php",
                363,
            ),
            ("Slim\\App->run", "/var/www/public/index.php", 41),
            ("{main}", "/var/www/public/index.php", 1),
        ],
        Language::Ruby => &[
            (
                "call",
                "/usr/local/bundle/gems/sinatra-4.2.1/lib/sinatra/base.rb",
                1002,
            ),
            (
                "call",
                "/usr/local/bundle/gems/rack-3.2.4/lib/rack/method_override.rb",
                28,
            ),
            (
                "process_client",
                "/usr/local/bundle/gems/puma-7.1.0/lib/puma/server.rb",
                472,
            ),
        ],
        Language::Rust => &[
            (
                "tonic::server::grpc::Grpc<T>::unary",
                "/usr/local/cargo/registry/src/tonic-0.14.2/src/server/grpc.rs",
                230,
            ),
            (
                "tokio::runtime::task::harness::poll_future",
                "/usr/local/cargo/registry/src/tokio-1.48.0/src/runtime/task/harness.rs",
                535,
            ),
        ],
        Language::Erlang => &[
            (
                "Broadway.Topology.ProcessorStage.handle_messages/4",
                "lib/broadway/topology/processor_stage.ex",
                168,
            ),
            ("gen_server.try_handle_cast/3", "gen_server.erl", 2371),
            ("proc_lib.init_p_do_apply/3", "proc_lib.erl", 333),
        ],
        Language::Cpp => &[(
            "grpc::internal::RpcMethodHandler::RunHandler",
            "method_handler.h",
            114,
        )],
    }
}
