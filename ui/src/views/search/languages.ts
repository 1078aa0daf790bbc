/** How the first span is sent, language by language, without writing any code: each SDK reads its settings from the environment. */

export interface Language {
  readonly name: string;
  /** `HOST` stands for the server's name. */
  readonly commands: string;
}

const ENVIRONMENT = `export OTEL_SERVICE_NAME=my-service
export OTEL_TRACES_EXPORTER=otlp
export OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4318`;

export const LANGUAGES: readonly Language[] = [
  {
    name: "Python",
    commands: `pip install opentelemetry-distro opentelemetry-exporter-otlp
opentelemetry-bootstrap -a install
${ENVIRONMENT}
opentelemetry-instrument python app.py`,
  },
  {
    name: "Node / TypeScript",
    commands: `npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node
${ENVIRONMENT}
node --require @opentelemetry/auto-instrumentations-node/register app.js`,
  },
  {
    name: "Go",
    commands: `go get go.opentelemetry.io/contrib/exporters/autoexport go.opentelemetry.io/otel/sdk
${ENVIRONMENT}

// main.go
exporter, err := autoexport.NewSpanExporter(ctx)
if err != nil { log.Fatal(err) }
provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
defer provider.Shutdown(ctx)
otel.SetTracerProvider(provider)
_, span := otel.Tracer("first").Start(ctx, "first span")
span.End()`,
  },
  {
    name: "Java",
    commands: `curl -LO https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/latest/download/opentelemetry-javaagent.jar
${ENVIRONMENT}
java -javaagent:opentelemetry-javaagent.jar -jar app.jar`,
  },
  {
    name: ".NET",
    commands: `curl -LO https://github.com/open-telemetry/opentelemetry-dotnet-instrumentation/releases/latest/download/otel-dotnet-auto-install.sh
sh otel-dotnet-auto-install.sh && . $HOME/.otel-dotnet-auto/instrument.sh
${ENVIRONMENT}
dotnet run`,
  },
];

/** A complete span with fresh ids and the time of now; needs a POSIX shell only. */
export const SHELL: Language = {
  name: "Shell",
  commands: `now=$(date +%s)
hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \\n'; }
curl -sS http://HOST:4318/v1/traces -H 'content-type: application/json' -d '{
  "resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "hello"}}]},
    "scopeSpans": [{"spans": [{
      "traceId": "'$(hex 16)'", "spanId": "'$(hex 8)'", "name": "first span", "kind": 2,
      "startTimeUnixNano": "'$now'000000000", "endTimeUnixNano": "'$now'250000000"
    }]}]
  }]
}'`,
};
