/** Unit tests: pure code, no browser; the browser's part is in `e2e/`. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
