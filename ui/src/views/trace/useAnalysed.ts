/** The analysis laid over the trace: at once over most, over a large one in turns of its own, after the first rows are drawn. */
import { useEffect, useMemo, useState } from "react";
import { inTurns } from "../../base/turns.ts";
import type { Analysis } from "../../model/analysis.ts";
import type { Trace } from "../../model/trace.ts";
import { type Analysed, analysed, analysing, isLarge } from "../../trace/prepared.ts";

/** Null until there is one; of a large trace the one before stays until the next is computed. */
export function useAnalysed(recorded: Trace, analysis: Analysis | null): Analysed | null {
  const isLater = isLarge(recorded);
  const now = useMemo(() => (analysis && !isLater ? analysed(recorded, analysis) : null), [recorded, analysis, isLater]);
  const [later, setLater] = useState<Analysed | null>(null);
  useEffect(() => {
    if (!analysis || !isLater) return;
    let isWanted = true;
    void inTurns(analysing(recorded, analysis)).then((done) => isWanted && setLater(done));
    return () => {
      isWanted = false;
    };
  }, [recorded, analysis, isLater]);
  return analysis && isLater ? later : now;
}
