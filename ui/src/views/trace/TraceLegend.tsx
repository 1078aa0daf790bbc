/** What the marks of the waterfall mean; stands in the help sheet. Drawn with styles, as the canvas draws them. */
import styles from "./TraceLegend.module.css";

const MARKS: readonly { readonly look: string | undefined; readonly words: string }[] = [
  { look: styles.path, words: "a line through the bar: the critical path, what the end of the trace waited for" },
  { look: styles.dark, words: "hatched: dark time, on the critical path with nothing recorded" },
  { look: styles.gap, words: "paler ends: between client and server, network and queues" },
  { look: styles.detached, words: "pale: nobody waits for it" },
  { look: styles.collapsed, words: "a pale reach behind the bar: what a collapsed span hides" },
  { look: styles.recorded, words: "dashed: where its own clock put a span that was moved" },
  { look: styles.error, words: "a red edge: an error; only a red line: an error in what is hidden" },
  { look: styles.event, words: "a tick: an event" },
];

export function TraceLegend() {
  return (
    <section className={styles.legend}>
      <h2>Marks</h2>
      <dl>
        {MARKS.map(({ look, words }) => (
          <div key={words}>
            <dt className={styles.bar} aria-hidden="true">
              <span className={look} />
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
