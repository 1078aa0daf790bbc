/** Which view an address shows, in the frame that all views share. */
import { Link, Route, Switch } from "wouter";
import { parsePastedId } from "../base/ids.ts";
import { ListView } from "../views/list/ListView.tsx";
import { LIST_SHORTCUTS } from "../views/list/shortcuts.ts";
import { TraceLegend } from "../views/trace/TraceLegend.tsx";
import { TRACE_SHORTCUTS } from "../views/trace/shortcuts.ts";
import { TraceView } from "../views/trace/TraceView.tsx";
import styles from "./App.module.css";
import { Shell } from "./Shell.tsx";

export function App() {
  return (
    <Switch>
      <Route path="/">
        <Shell shortcuts={LIST_SHORTCUTS}>
          <ListView />
        </Shell>
      </Route>
      <Route path="/trace/:id">
        {({ id }) => {
          const pasted = parsePastedId(id);
          return (
            <Shell shortcuts={TRACE_SHORTCUTS} legend={<TraceLegend />}>
              {pasted ? <TraceView key={pasted.trace} id={pasted.trace} /> : <Lost words={`“${id}” is not a trace id: up to 32 hexadecimal digits are`} />}
            </Shell>
          );
        }}
      </Route>
      <Route>
        <Shell shortcuts={[]}>
          <Lost words="there is no page at this address" />
        </Shell>
      </Route>
    </Switch>
  );
}

function Lost({ words }: { readonly words: string }) {
  return (
    <main className={styles.lost}>
      <h1>Nothing here</h1>
      <p>{words}</p>
      <p>
        <Link href="/">to the list of traces</Link>
      </p>
    </main>
  );
}
