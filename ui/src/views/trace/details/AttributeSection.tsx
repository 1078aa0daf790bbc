/** Attributes under a title: typed, sorted by key, each copyable and findable. */
import { createContext, useContext, useState } from "react";
import { Link } from "wouter";
import { formatCount, plural } from "../../../base/format.ts";
import { type Attribute, type AttributeValue, valueText } from "../../../model/attribute.ts";
import { readable, type Readable } from "../../../model/readable.ts";
import { encodeAttributes } from "../../../api/otlp_encode.ts";
import { attributeField, bare, condition, text as quoted } from "../../../query/edit.ts";
import { searchFor, searchFurther } from "../../../state/search_links.ts";
import { Button, classes, CopyButton, IconButton } from "../../../widgets/controls.tsx";
import { SearchIcon } from "../../../widgets/icons.tsx";
import styles from "./Details.module.css";

/** Finds words in the trace; null where there is nothing to find in. */
export const FindContext = createContext<((query: string) => void) | null>(null);

export type AttributeScope = "span" | "resource" | "instrumentation" | "event" | "link";

interface AttributeSectionProps {
  readonly title: string;
  readonly note?: string;
  /** Under which name a query finds them; absent where it cannot. */
  readonly scope?: AttributeScope;
  readonly attributes: readonly Attribute[];
  readonly dropped: number;
  /** Show the section even when there is nothing in it. */
  readonly always?: boolean;
}

export function AttributeSection({ title, note, scope, attributes, dropped, always = false }: AttributeSectionProps) {
  if (attributes.length === 0 && dropped === 0 && !note && !always) return null;
  return (
    <section className={styles.section}>
      <h3>
        {title}
        {note && <span className={styles.note}>{note}</span>}
        {attributes.length > 0 && <CopyButton label={`copy ${title.toLowerCase()} as JSON`} text={() => JSON.stringify(encodeAttributes(attributes), null, 2)} />}
      </h3>
      {attributes.length === 0 && always && <p className={styles.soft}>none</p>}
      <AttributeList attributes={attributes} scope={scope} />
      {dropped > 0 && <p className={styles.warn}>{plural(dropped, "attribute")} dropped by the sender</p>}
    </section>
  );
}

interface AttributeListProps {
  readonly attributes: readonly Attribute[];
  readonly scope?: AttributeScope | undefined;
}

export function AttributeList({ attributes, scope }: AttributeListProps) {
  const sorted = [...attributes].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return (
    <dl className={styles.attributes}>
      {sorted.map((attribute, i) => (
        // A key may come twice; both are shown.
        <AttributeRow key={`${attribute.key} ${i}`} attribute={attribute} scope={scope} />
      ))}
    </dl>
  );
}

/** Longer values are not looked for as a whole. */
const FIND_MAX = 120;

function AttributeRow({ attribute: { key, value }, scope }: { readonly attribute: Attribute; readonly scope: AttributeScope | undefined }) {
  const find = useContext(FindContext);
  const text = valueText(value);
  const form: Readable = value.type === "string" ? readable(key, text) : { type: "plain" };
  const isFindable = find !== null && value.type !== "empty" && text.length <= FIND_MAX && !/["\n]/.test(text);
  return (
    <div className={form.type === "plain" ? undefined : styles.block}>
      <dt>{key}</dt>
      <dd>
        <Value value={value} form={form} />
        <span className={styles.acts}>
          {scope && text.length <= SEARCH_MAX && <SearchLinks field={attributeField(scope, key)} value={value} />}
          {isFindable && (
            <IconButton look="bare" small label={`find ${key}=${text} in this trace`} onClick={() => find(`"${key}=${text}"`)}>
              <SearchIcon size={12} />
            </IconButton>
          )}
          <CopyButton label={`copy the value of ${key}`} text={() => text} />
        </span>
      </dd>
    </div>
  );
}

/** Longer values make no query that anybody reads. */
const SEARCH_MAX = 300;

/** To traces with this value, and to what one came from without it. */
function SearchLinks({ field, value }: { readonly field: string; readonly value: AttributeValue }) {
  const isWritable = value.type === "string" || value.type === "int" || value.type === "bool" || (value.type === "double" && Number.isFinite(value.value));
  if (!isWritable) return null;
  const written = value.type === "string" ? quoted(value.value) : bare(valueText(value));
  const words = `${field} = ${valueText(value)}`;
  return (
    <>
      <Link href={searchFor(condition(field, "=", written))} title={`search for ${words}`} aria-label={`search for ${words}`} className={styles.act}>
        search
      </Link>
      <Link href={searchFurther(condition(field, "!=", written))} title={`exclude ${words} from the last search`} aria-label={`exclude ${words}`} className={styles.act}>
        exclude
      </Link>
    </>
  );
}

/** More is folded until asked for: a stack trace fits, a megabyte does not stop the page. */
const VALUE_SHOWN_MAX = 3_000;

function Value({ value, form }: { readonly value: AttributeValue; readonly form: Readable }) {
  const [whole, setWhole] = useState(false);
  const [asSent, setAsSent] = useState(false);
  const sent = valueText(value);
  const text = "text" in form && !asSent ? form.text : sent;
  const isLong = text.length > VALUE_SHOWN_MAX;
  return (
    <span className={classes(styles.value, value.type !== "string" && styles.typed)}>
      {value.type === "empty" ? <i className={styles.soft}>no value</i> : isLong && !whole ? `${text.slice(0, VALUE_SHOWN_MAX)}…` : text}
      {value.type === "string" && text === "" && <i className={styles.soft}>empty</i>}
      {value.type !== "string" && value.type !== "empty" && <span className={styles.type}>{value.type}</span>}
      {(isLong || "text" in form) && (
        <span className={styles.forms}>
          {isLong && (
            <Button look="bare" className={styles.jump} onClick={() => setWhole(!whole)}>
              {whole ? "fold" : `show all ${formatCount(text.length)} characters`}
            </Button>
          )}
          {"text" in form && (
            <Button look="bare" className={styles.jump} onClick={() => setAsSent(!asSent)}>
              {asSent ? `as ${form.type.toUpperCase()}` : "as sent"}
            </Button>
          )}
        </span>
      )}
    </span>
  );
}
