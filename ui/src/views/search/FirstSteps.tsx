/** Nothing has ever arrived: how to send the first span. */
import { useState } from "react";
import { Button, CopyButton } from "../../widgets/controls.tsx";
import styles from "./Empty.module.css";
import { LANGUAGES, SHELL } from "./languages.ts";

const DEMO = "throughline demo";
const CHOICES = [...LANGUAGES, SHELL];

export function FirstSteps() {
  const host = location.hostname || "127.0.0.1";
  const [chosen, setChosen] = useState(0);
  const language = CHOICES[chosen] ?? SHELL;
  return (
    <section className={styles.empty}>
      <h2>No spans yet</h2>
      <p>
        Throughline takes OTLP: gRPC on port <code>4317</code>, HTTP on port <code>4318</code> (<code>/v1/traces</code>, protobuf or JSON).
        This page looks for the first span by itself.
      </p>
      <div role="group" aria-label="language" className={`${styles.actions} ${styles.languages}`}>
        {CHOICES.map(({ name }, i) => (
          <Button key={name} aria-pressed={i === chosen} onClick={() => setChosen(i)}>
            {name}
          </Button>
        ))}
      </div>
      <Snippet title={`Send spans from ${language.name}`} text={language.commands.replaceAll("HOST", host)} />
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
