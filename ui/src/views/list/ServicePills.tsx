/** The services of a trace: most spans first, as many as fit, the rest as a number. Colour is a help, the name is the fact. */
import { plural } from "../../base/format.ts";
import type { ServiceCount } from "../../model/trace.ts";
import type { SlotOf } from "../../trace/colours.ts";
import { classes } from "../../widgets/controls.tsx";
import styles from "./ServicePills.module.css";

/** More pills than this never fit beside each other; the row clips what is too wide earlier. */
const PILLS_MAX = 5;

export function ServicePills({ services, slotOf }: { readonly services: readonly ServiceCount[]; readonly slotOf: SlotOf }) {
  const ordered = [...services].sort((a, b) => b.errors - a.errors || b.spans - a.spans);
  const shown = ordered.slice(0, PILLS_MAX);
  const hidden = ordered.slice(PILLS_MAX);
  return (
    <span className={styles.pills}>
      {shown.map((service) => (
        <span key={service.name} className={classes(styles.pill, service.errors > 0 && styles.failed)} title={words(service)}>
          <span className={styles.dot} style={{ background: `var(--service-${slotOf(service.name)})` }} />
          {service.name}
          {service.errors > 0 && <span className="aside"> with errors</span>}
        </span>
      ))}
      {hidden.length > 0 && (
        <span className={styles.rest} title={hidden.map(words).join("\n")}>
          +{hidden.length}
        </span>
      )}
    </span>
  );
}

function words({ name, spans, errors }: ServiceCount): string {
  return `${name}: ${plural(spans, "span")}${errors > 0 ? `, ${plural(errors, "error")}` : ""}`;
}
