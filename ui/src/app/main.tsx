/** The entry: cache, root, first paint. */
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { firstAnswers } from "../state/first.ts";
import { newQueryClient } from "../state/queries.ts";
import { App, loadFirst } from "./App.tsx";
import "./global.css";

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no element #app");
const client = newQueryClient();
// What cannot be loaded now is tried again by the view itself.
await Promise.allSettled([loadFirst(location.pathname), firstAnswers(client, location.pathname, location.search)]);
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
