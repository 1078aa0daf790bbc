/** How the page is built, served while developing, and tested. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where a running Throughline (or `npm run mock`) answers while `npm run dev` serves the page. */
const API = process.env["THROUGHLINE_URL"] ?? "http://127.0.0.1:3200";

export default defineConfig({
  plugins: [react()],
  // The server answers every unknown path with index.html, also deep ones, so assets are named from the root.
  base: "/",
  build: {
    outDir: "dist",
    // Browsers of the last two years; oklch colours and `popover` need no more.
    target: "es2023",
    // One request less, and the binary compresses what it embeds.
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { "/api": API } },
});
