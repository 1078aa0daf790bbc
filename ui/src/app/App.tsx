/** Which view an address shows, in the frame that all views share. */
import { Suspense, useEffect } from "react";
import { Link, Route, Switch } from "wouter";
import { parsePastedId, traceId } from "../base/ids.ts";
import { later } from "../widgets/later.tsx";
import { SEARCH_SHORTCUTS } from "../views/search/shortcuts.ts";
import { TRACE_SHORTCUTS } from "../views/trace/shortcuts.ts";
import styles from "./App.module.css";
import { Shell } from "./Shell.tsx";

// Each screen is its own chunk: whoever comes by a link to a trace does not wait for the search page, nor the other way round.
const SearchView = later(() => import("../views/search/SearchView.tsx").then((m) => m.SearchView));
const TraceView = later(() => import("../views/trace/TraceView.tsx").then((m) => m.TraceView));
const FileView = later(() => import("../views/trace/FileView.tsx").then((m) => m.FileView));
const TraceLegend = later(() => import("../views/trace/TraceLegend.tsx").then((m) => m.TraceLegend));
/** By then the first screen is there; the other one is fetched before anybody asks for it. */
const IDLE_MS = 1_500;

/** Fetches what the address shows, so that the first thing drawn is that, and nothing in its stead. */
export function loadFirst(path: string): Promise<unknown> {
  return (path === "/" ? SearchView : path.startsWith("/trace/") ? TraceView : FileView).load();
}

export function App() {
  useEffect(() => {
    const timer = setTimeout(() => void Promise.allSettled([SearchView.load(), TraceView.load()]), IDLE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Switch>
      <Route path="/">
        <Shell shortcuts={SEARCH_SHORTCUTS}>
          <Suspense fallback={<main className={styles.coming} />}>
            <SearchView />
          </Suspense>
        </Shell>
      </Route>
      <Route path="/trace/:id">
        {({ id }) => {
          const pasted = parsePastedId(id);
          return (
            <Shell shortcuts={TRACE_SHORTCUTS} legend={
                <Suspense>
                  <TraceLegend />
                </Suspense>
              }>
              {pasted ? (
                <Suspense fallback={<main className={styles.coming} />}>
                  <TraceView key={pasted.trace} id={pasted.trace} />
                </Suspense>
              ) : (
                <Lost words={`“${id}” is not a trace id: up to 32 hexadecimal digits are`} />
              )}
            </Shell>
          );
        }}
      </Route>
      <Route path="/file/:id?">
        {({ id }) => (
          <Shell
            shortcuts={TRACE_SHORTCUTS}
            legend={
              <Suspense>
                <TraceLegend />
              </Suspense>
            }
          >
            <Suspense fallback={<main className={styles.coming} />}>
              <FileView id={traceId(id ?? "")} />
            </Suspense>
          </Shell>
        )}
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
        <Link href="/">search traces</Link>
      </p>
    </main>
  );
}
