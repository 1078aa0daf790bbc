/** Nothing has ever arrived: how to send the first span. */
import { CopyButton } from "../../widgets/controls.tsx";
import styles from "./Empty.module.css";

const DEMO = "throughline demo";

const SDK = `export OTEL_SERVICE_NAME=my-service
export OTEL_TRACES_EXPORTER=otlp
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4318`;

/** A complete span with fresh ids and the time of now; needs a POSIX shell only. */
const CURL = `now=$(date +%s)
hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \\n'; }
curl -sS http://HOST:4318/v1/traces -H 'content-type: application/json' -d '{
  "resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "hello"}}]},
    "scopeSpans": [{"spans": [{
      "traceId": "'$(hex 16)'", "spanId": "'$(hex 8)'", "name": "first span", "kind": 2,
      "startTimeUnixNano": "'$now'000000000", "endTimeUnixNano": "'$now'250000000"
    }]}]
  }]
}'`;

export function FirstSteps() {
  const host = location.hostname || "127.0.0.1";
  return (
    <section className={styles.empty}>
      <h2>No spans yet</h2>
      <p>
        Throughline takes OTLP: gRPC on port <code>4317</code>, HTTP on port <code>4318</code> (<code>/v1/traces</code>, protobuf or JSON).
        This page looks for the first span by itself.
      </p>
      <Snippet title="Any OpenTelemetry SDK, by its environment" text={SDK.replace("HOST", host)} />
      <Snippet title="One span from a shell" text={CURL.replace("HOST", host)} />
      <Snippet title="Or look around first: a simulated shop with an hour of history" text={DEMO} />
    </section>
  );
}

function Snippet({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <div className={styles.snippet}>
      <h3>
        {title} <CopyButton label={`copy: ${title}`} text={() => text} />
      </h3>
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}
