/** The links of a span: to spans of this or of other traces. */
import { Link } from "wouter";
import { plural } from "../../../base/format.ts";
import { shortId } from "../../../base/ids.ts";
import type { SpanLink } from "../../../model/span.ts";
import { traceAddress } from "../../../state/trace_url.ts";
import { LinkIcon } from "../../../widgets/icons.tsx";
import { AttributeList } from "./AttributeSection.tsx";
import styles from "./Details.module.css";

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
            <AttributeList attributes={link.attributes} />
          </li>
        ))}
      </ul>
      {dropped > 0 && <p className={styles.warn}>{plural(dropped, "link")} dropped by the sender</p>}
    </section>
  );
}
