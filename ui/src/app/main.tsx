/** The entry: cache, root, first paint. */
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { newQueryClient } from "../state/queries.ts";
import { App, loadFirst } from "./App.tsx";
import "./global.css";

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no element #app");
// What cannot be loaded now is tried again by the view itself.
await loadFirst(location.pathname).catch(() => undefined);
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={newQueryClient()}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
