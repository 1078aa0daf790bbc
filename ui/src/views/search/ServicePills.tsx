/** The services of a trace: how many there are, and as many as fit, those with errors first, then by spans. Colour is a help, the name is the fact. */
import { plural } from "../../base/format.ts";
import type { ServiceCount } from "../../model/trace.ts";
import type { SlotOf } from "../../trace/colours.ts";
import { ErrorIcon } from "../../widgets/icons.tsx";
import styles from "./ServicePills.module.css";

/** More pills than this never fit beside each other. */
const PILLS_MAX = 8;

export function ServicePills({ services, slotOf }: { readonly services: readonly ServiceCount[]; readonly slotOf: SlotOf }) {
  const ordered = [...services].sort((a, b) => b.errors - a.errors || b.spans - a.spans);
  return (
    <span className={styles.services}>
      <span className={styles.count} title={ordered.map(words).join("\n")}>
        {ordered.length}
        <span className="aside"> in all: </span>
      </span>
      <span className={styles.pills}>
        {ordered.slice(0, PILLS_MAX).map((service) => (
          <span key={service.name} className={styles.pill} title={words(service)}>
            <span className={styles.dot} style={{ background: `var(--service-${slotOf(service.name)})` }} />
            {service.name}
            {service.errors > 0 && (
              <span className={styles.failed}>
                <ErrorIcon size={11} />
                <span className="aside"> with errors</span>
              </span>
            )}
          </span>
        ))}
      </span>
    </span>
  );
}

function words({ name, spans, errors }: ServiceCount): string {
  return `${name}: ${plural(spans, "span")}${errors > 0 ? `, ${plural(errors, "error")}` : ""}`;
}
