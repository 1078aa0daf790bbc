/** One condition of the query: change it, or take it out. */
import { type Condition, type Part, writeCondition } from "../../query/chips.ts";
import { IconButton } from "../../widgets/controls.tsx";
import { CloseIcon } from "../../widgets/icons.tsx";
import styles from "./ChipBar.module.css";
import { ConditionMenu } from "./ConditionMenu.tsx";
import { QueryText } from "./editor/QueryText.tsx";

interface ChipProps {
  readonly part: Part;
  readonly onRemove: () => void;
  /** Absent where only the text can be changed. */
  readonly onReplace?: (condition: Condition) => void;
}

export function Chip({ part, onRemove, onReplace }: ChipProps) {
  const { source, condition } = part;
  return (
    <span className={styles.chip}>
      {condition && condition.values.length === 1 && onReplace ? (
        <ConditionMenu label={writeCondition(condition)} initial={condition} onDone={onReplace}>
          <QueryText query={source} />
        </ConditionMenu>
      ) : (
        <span className={styles.fixed} title={`${source}\n(changed in the text)`}>
          <QueryText query={source} />
        </span>
      )}
      <IconButton look="bare" small label={`remove ${source}`} onClick={onRemove}>
        <CloseIcon size={10} />
      </IconButton>
    </span>
  );
}
