/** A menu that makes or changes one condition: attribute, comparison, value, with what the data has as suggestions. */
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { type Condition, OPERATORS, type Operator } from "../../query/chips.ts";
import { bare, condition, text, typedValue } from "../../query/edit.ts";
import { useAttributes, useValues } from "../../state/queries.ts";
import { Button, Field, Select } from "../../widgets/controls.tsx";
import styles from "./ChipBar.module.css";

interface ConditionMenuProps {
  readonly label: string;
  /** What is changed; null makes a new one. */
  readonly initial: Condition | null;
  readonly onDone: (condition: Condition) => void;
  readonly children?: ReactNode;
}

const EXISTS = "exists";
type Choice = Operator | typeof EXISTS;

export function ConditionMenu({ label, initial, onDone, children }: ConditionMenuProps) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const close = (): void => document.getElementById(id)?.hidePopover();
  return (
    <>
      <Button look="bare" className={children === undefined ? undefined : styles.open} popoverTarget={id} aria-label={children === undefined ? undefined : `change ${label}`} style={{ anchorName: `--${id}` }}>
        {children ?? label}
      </Button>
      <div id={id} popover="auto" className={styles.menu} style={{ positionAnchor: `--${id}` }} onToggle={(event) => setOpen(event.newState === "open")}>
        {isOpen && (
          <ConditionForm
            initial={initial}
            onDone={(next) => {
              close();
              onDone(next);
            }}
          />
        )}
      </div>
    </>
  );
}

function ConditionForm({ initial, onDone }: { readonly initial: Condition | null; readonly onDone: (condition: Condition) => void }) {
  const [field, setField] = useState(initial?.field ?? "");
  const [op, setOp] = useState<Choice>(initial?.op ?? "=");
  const [value, setValue] = useState(initial?.values[0]?.text ?? "");
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const attributes = useAttributes(true);
  const values = useValues(attributes.data?.includes(field.trim()) ? field.trim() : "");
  const [names, listed] = [useId(), useId()];
  const isComplete = field.trim() !== "" && (op === EXISTS || value !== "" || op === "=" || op === "!=");

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    // The form stands within the form of all filters.
    event.stopPropagation();
    if (!isComplete) return;
    const name = fieldName(field);
    if (op === EXISTS) return onDone(condition(name, "!=", bare("nil")));
    const known = values.data?.find((one) => one.value === value);
    const unchanged = initial?.values[0]?.text === value && initial.field === name ? initial.values[0] : null;
    onDone(condition(name, op, op === "=~" || op === "!~" ? text(value) : (unchanged ?? typedValue(name, value, known?.type))));
  };
  return (
    <div className={styles.form} role="group" aria-label="condition" onKeyDown={(event) => event.key === "Enter" && submit(event)}>
      <Field ref={first} aria-label="attribute" placeholder="attribute" list={names} value={field} onChange={(event) => setField(event.target.value)} />
      <datalist id={names}>
        {attributes.data?.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Select aria-label="comparison" value={op} onChange={(event) => setOp(event.target.value as Choice)}>
        {OPERATORS.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
        <option value={EXISTS}>exists</option>
      </Select>
      <Field aria-label="value" placeholder="value" list={listed} value={value} disabled={op === EXISTS} onChange={(event) => setValue(event.target.value)} />
      <datalist id={listed}>
        {values.data?.map((one) => (
          <option key={`${one.type} ${one.value}`} value={one.value} />
        ))}
      </datalist>
      <Button disabled={!isComplete} onClick={submit}>
        {initial === null ? "add" : "change"}
      </Button>
    </div>
  );
}

/** A name without a scope is looked for in all of them. */
function fieldName(typed: string): string {
  const name = typed.trim();
  return /^[.\w]*[.:]|^(name|status|kind|duration|statusMessage|rootName|rootServiceName|traceDuration|nestedSet\w+)$/.test(name) ? name : `.${name}`;
}
