/** How the page is built, served while developing, and tested. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin, type Rolldown } from "vite";

/** Where a running Throughline (or `npm run mock`) answers while `npm run dev` serves the page. */
const API = process.env["THROUGHLINE_URL"] ?? "http://127.0.0.1:3200";

/** The module of the screen at addresses that begin so. */
const SCREENS = { "/": "src/views/search/SearchView.tsx", "/trace/": "src/views/trace/TraceView.tsx" };

const OF_TRACES = /src\/(views\/trace|state\/traces|trace\/(?!colours))/;
/** What a trace does not need at first. */
const LATER = /src\/(api\/otlp_encode|state\/charts|query\/(heatmap|chart|difference|percentile)\.)/;

/** Tells `early.js` the files of each screen: the browser then asks for them together with the entry, not after it has run. */
function earlyScreens(): Plugin {
  return {
    name: "early-screens",
    writeBundle({ dir = "dist" }, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
      const filesOf = (names: readonly string[], known = new Set<string>()): ReadonlySet<string> => {
        for (const name of names) {
          const chunk = chunks.find(({ fileName }) => fileName === name);
          if (!chunk || known.has(name)) continue;
          known.add(name);
          for (const style of chunk.viteMetadata?.importedCss ?? []) known.add(style);
          filesOf(chunk.imports, known);
        }
        return known;
      };
      const entry = filesOf(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
      const own = (chunk: Rolldown.OutputChunk): readonly string[] => [...filesOf([chunk.fileName])].filter((file) => !entry.has(file)).map((file) => `/${file}`);
      const screens = Object.entries(SCREENS).map(([address, module]) => {
        const chunk = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith(module));
        if (!chunk) throw new Error(`no chunk for ${module}`);
        return [address, own(chunk)];
      });
      const path = join(dir, "early.js");
      writeFileSync(path, readFileSync(path, "utf8").replace("screens = {}", `screens = ${JSON.stringify(Object.fromEntries(screens))}`));
    },
  };
}

export default defineConfig({
  plugins: [react(), earlyScreens()],
  // The server answers every unknown path with index.html, also deep ones, so assets are named from the root.
  base: "/",
  build: {
    outDir: "dist",
    // Browsers of the last two years; oklch colours and `popover` need no more.
    target: "es2023",
    // One request less, and the binary compresses what it embeds.
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    rolldownOptions: {
      // A browser asks a server for six files at a time: what all screens share is one file, not twenty.
      output: {
        codeSplitting: {
          groups: [
            { name: "shared", test: (module) => !OF_TRACES.test(module) && !LATER.test(module), minShareCount: 2, priority: 1 },
            // The search does without it.
            { name: "traces", test: OF_TRACES, minShareCount: 2 },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": API } },
});
