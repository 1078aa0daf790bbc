/** Attributes under a title: typed, sorted by key, each copyable. */
import { useState } from "react";
import { formatCount, plural } from "../../../base/format.ts";
import { type Attribute, type AttributeValue, valueText } from "../../../model/attribute.ts";
import { encodeAttributes } from "../../../api/otlp_encode.ts";
import { Button, classes, CopyButton } from "../../../widgets/controls.tsx";
import styles from "./Details.module.css";

interface AttributeSectionProps {
  readonly title: string;
  readonly note?: string;
  readonly attributes: readonly Attribute[];
  readonly dropped: number;
  /** Show the section even when there is nothing in it. */
  readonly always?: boolean;
}

export function AttributeSection({ title, note, attributes, dropped, always = false }: AttributeSectionProps) {
  if (attributes.length === 0 && dropped === 0 && !note && !always) return null;
  return (
    <section className={styles.section}>
      <h3>
        {title}
        {note && <span className={styles.note}>{note}</span>}
        {attributes.length > 0 && <CopyButton label={`copy ${title.toLowerCase()} as JSON`} text={() => JSON.stringify(encodeAttributes(attributes), null, 2)} />}
      </h3>
      {attributes.length === 0 && always && <p className={styles.soft}>none</p>}
      <AttributeList attributes={attributes} />
      {dropped > 0 && <p className={styles.warn}>{plural(dropped, "attribute")} dropped by the sender</p>}
    </section>
  );
}

export function AttributeList({ attributes }: { readonly attributes: readonly Attribute[] }) {
  const sorted = [...attributes].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return (
    <dl className={styles.attributes}>
      {sorted.map((attribute, i) => (
        // A key may come twice; both are shown.
        <div key={`${attribute.key} ${i}`} className={isBlock(attribute.value) ? styles.block : undefined}>
          <dt>{attribute.key}</dt>
          <dd>
            <Value value={attribute.value} />
            <CopyButton label={`copy the value of ${attribute.key}`} text={() => valueText(attribute.value)} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Stack traces and statements of several lines get the whole width and keep their lines. */
const isBlock = (value: AttributeValue): boolean => value.type === "string" && value.value.includes("\n");

/** More is folded until asked for: a stack trace fits, a megabyte does not stop the page. */
const VALUE_SHOWN_MAX = 3_000;

function Value({ value }: { readonly value: AttributeValue }) {
  const [whole, setWhole] = useState(false);
  const text = valueText(value);
  const isLong = text.length > VALUE_SHOWN_MAX;
  return (
    <span className={classes(styles.value, value.type !== "string" && styles.typed)}>
      {value.type === "empty" ? <i className={styles.soft}>no value</i> : isLong && !whole ? `${text.slice(0, VALUE_SHOWN_MAX)}…` : text}
      {value.type === "string" && text === "" && <i className={styles.soft}>empty</i>}
      {value.type !== "string" && value.type !== "empty" && <span className={styles.type}>{value.type}</span>}
      {isLong && (
        <Button look="bare" className={styles.jump} onClick={() => setWhole(!whole)}>
          {whole ? "fold" : `show all ${formatCount(text.length)} characters`}
        </Button>
      )}
    </span>
  );
}
