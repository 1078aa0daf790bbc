/** The links of a span: to spans of this or of other traces, and from spans of this trace to it. */
import { useContext } from "react";
import { Link } from "wouter";
import { at } from "../../../base/arrays.ts";
import { plural } from "../../../base/format.ts";
import { shortId } from "../../../base/ids.ts";
import type { Span, SpanLink } from "../../../model/span.ts";
import type { Trace } from "../../../model/trace.ts";
import { condition, text } from "../../../query/edit.ts";
import { searchFor } from "../../../state/search_links.ts";
import { traceAddress } from "../../../state/trace_url.ts";
import type { TraceTree } from "../../../trace/tree.ts";
import { Button } from "../../../widgets/controls.tsx";
import { LinkIcon } from "../../../widgets/icons.tsx";
import { AttributeList } from "./AttributeSection.tsx";
import styles from "./Details.module.css";
import { StoredContext } from "./stored.ts";

export function Links({ links, dropped }: { readonly links: readonly SpanLink[]; readonly dropped: number }) {
  if (links.length === 0 && dropped === 0) return null;
  return (
    <section className={styles.section}>
      <h3>
        Links <span className={styles.note}>{links.length}</span>
      </h3>
      <ul className={styles.links}>
        {links.map((link, i) => (
          <li key={i}>
            <Link href={traceAddress(link.traceId, link.spanId)}>
              <LinkIcon size={12} /> trace <code>…{shortId(link.traceId)}</code>, span <code>…{shortId(link.spanId)}</code>
            </Link>
            <AttributeList attributes={link.attributes} scope="link" />
          </li>
        ))}
      </ul>
      {dropped > 0 && <p className={styles.warn}>{plural(dropped, "link")} dropped by the sender</p>}
    </section>
  );
}

interface LinkedFromProps {
  readonly trace: Trace;
  readonly tree: TraceTree;
  readonly span: Span;
  readonly onGoTo: (position: number) => void;
}

/** Spans of this trace that link to `span`. Those of other traces are found by a search, which looks at every link there is. */
export function LinkedFrom({ trace, tree, span, onGoTo }: LinkedFromProps) {
  const isStored = useContext(StoredContext);
  const from = tree.spans.flatMap((other, p) => (other.links.some((link) => link.spanId === span.id && link.traceId === trace.id) ? [p] : []));
  const elsewhere = searchFor(condition("link:traceID", "=", text(trace.id)), condition("link:spanID", "=", text(span.id)));
  if (from.length === 0 && !isStored) return null;
  return (
    <section className={styles.section}>
      <h3>
        Linked from {from.length > 0 && <span className={styles.note}>{from.length} in this trace</span>}
        {isStored && (
          <Link href={elsewhere} className={styles.elsewhere}>
            search all traces
          </Link>
        )}
      </h3>
      <ul className={styles.links}>
        {from.map((position) => (
          <li key={position}>
            <Button look="bare" className={styles.jump} onClick={() => onGoTo(position)}>
              <LinkIcon size={12} /> {at(tree.spans, position).resource.service} {at(tree.spans, position).name}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
