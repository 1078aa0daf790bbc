/** The services of the trace: which are shown, and how much of the time was theirs. */
import { useId, useMemo } from "react";
import { at } from "../../base/arrays.ts";
import { formatCount, plural } from "../../base/format.ts";
import type { Insight } from "../../trace/insight.ts";
import type { TraceTree } from "../../trace/tree.ts";
import { Button } from "../../widgets/controls.tsx";
import styles from "./ToolBar.module.css";
import type { TraceModel } from "./useTraceModel.ts";

interface ServicesMenuProps {
  readonly model: TraceModel;
  readonly hidden: readonly string[];
  readonly onHidden: (hidden: readonly string[]) => void;
}

export function ServicesMenu({ model, hidden, onHidden }: ServicesMenuProps) {
  const id = useId();
  const { bare, insight } = model;
  const shares = useMemo(() => sharesOf(bare, insight), [bare, insight]);
  // Those that had the time come first.
  const services = useMemo(() => [...model.facts.services].sort((a, b) => (shares.get(b.name) ?? 0) - (shares.get(a.name) ?? 0)), [model, shares]);
  const names = services.map(({ name }) => name);
  const shown = names.filter((name) => !hidden.includes(name)).length;
  const only = (name: string): void => onHidden(names.filter((other) => other !== name));
  const toggle = (name: string): void => onHidden(hidden.includes(name) ? hidden.filter((other) => other !== name) : [...hidden, name]);
  return (
    <>
      <Button look="bare" className={styles.tool} popoverTarget={id} aria-pressed={shown < names.length} style={{ anchorName: `--${id}` }}>
        {shown < names.length ? `${shown} of ${plural(names.length, "service")}` : plural(names.length, "service")} ▾
      </Button>
      <div id={id} popover="auto" className={styles.menu} style={{ positionAnchor: `--${id}` }} role="group" aria-label="services">
        <div className={styles.menuHead}>
          <span>share of the critical path</span>
          <Button look="bare" className={styles.tool} disabled={hidden.length === 0} onClick={() => onHidden([])}>
            show all
          </Button>
        </div>
        <ul>
          {services.map(({ name, spans, errors }) => (
            <li key={name} className={styles.service}>
              <label>
                <input type="checkbox" checked={!hidden.includes(name)} onChange={() => toggle(name)} />
                <span className={styles.colour} style={{ background: `var(--service-${model.slotOf(name)})` }} />
                <span className={styles.name}>{name}</span>
              </label>
              <span className={styles.soft} title={errors > 0 ? plural(errors, "error") : undefined}>
                {plural(spans, "span")}
                {errors > 0 && <span className={styles.errors}> {formatCount(errors)}!</span>}
              </span>
              <span className={styles.share}>{shareWords(shares.get(name) ?? 0)}</span>
              <Button look="bare" className={styles.tool} aria-label={`only ${name}`} onClick={() => only(name)}>
                only
              </Button>
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}

const shareWords = (share: number): string => (share >= 0.01 ? `${Math.round(share * 100)} %` : share > 0 ? "<1 %" : "");

/** Of the critical path of the main root, by service. */
function sharesOf(tree: TraceTree, insight: Insight | null): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  if (!insight || insight.total <= 0) return shares;
  tree.spans.forEach((span, p) => {
    const { service } = span.resource;
    shares.set(service, (shares.get(service) ?? 0) + at(insight.critical, p) / insight.total);
  });
  return shares;
}
