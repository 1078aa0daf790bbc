/** A field of text that tells its value when it is left or Enter is pressed, not at every letter. */
import { useLayoutEffect, useState } from "react";
import { Field } from "../../widgets/controls.tsx";

interface TextFieldProps {
  readonly label: string;
  readonly placeholder?: string;
  readonly value: string;
  readonly className?: string | undefined;
  readonly invalid?: boolean;
  /** Why the text is not understood; shown as tooltip and told to screen readers. */
  readonly problem?: string;
  readonly suggestionsId?: string;
  readonly onType?: (text: string) => void;
  readonly onCommit: (text: string) => void;
}

export function TextField(props: TextFieldProps) {
  const { label, placeholder = label, value, className, invalid = false, problem, suggestionsId, onType, onCommit } = props;
  const [text, setText] = useState(value);
  // The address changed from elsewhere: going back, a link, a key. At once, lest it takes back what is typed next.
  useLayoutEffect(() => setText(value), [value]);
  const commit = (): void => {
    if (text.trim() !== value) onCommit(text.trim());
  };
  return (
    <Field
      className={className}
      aria-label={label}
      placeholder={placeholder}
      list={suggestionsId}
      value={text}
      aria-invalid={invalid}
      title={invalid ? problem : label}
      onChange={(event) => {
        setText(event.target.value);
        onType?.(event.target.value);
      }}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
        if (event.key === "Escape") event.currentTarget.blur();
      }}
    />
  );
}
