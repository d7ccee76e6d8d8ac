import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at("src"),
  base: "/",
  resolve: { alias: { "@laurel/client": at("client/src/index.ts") } },
  build: {
    outDir: at("dist/app"),
    emptyOutDir: true,
    assetsDir: "ui", // what is in it has its content's hash in its name, and is kept by browsers for ever
    assetsInlineLimit: 0, // the pages' policy allows no data: but for pictures
    target: "es2022",
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: { input: { console: at("src/console.html"), live: at("src/live.html") } },
  },
  // npm run dev: these pages from their sources, everything else from a server that runs beside it.
  server: { proxy: { "/v1": { target: process.env.LAUREL_URL ?? "http://127.0.0.1:8080", ws: true, changeOrigin: true }, "/openapi.json": process.env.LAUREL_URL ?? "http://127.0.0.1:8080" } },
});
