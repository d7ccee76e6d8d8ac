// Builds what the binary embeds: dist/app (the console and live boards) and dist/widgets (a file for each widget, with everything in it).
import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { build } from "vite";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

await build({ configFile: at("vite.config.js"), logLevel: "warn" });

rmSync(at("dist/widgets"), { recursive: true, force: true });
mkdirSync(at("dist/widgets"), { recursive: true });
const names = ["leaderboard", "rank", "streak", "laurel"];
await esbuild.build({
  entryPoints: [...names.map((name) => at(`src/widgets/${name}.ts`)), at("src/widgets/example/example.ts")],
  entryNames: "[name]",
  outdir: at("dist/widgets"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  alias: { "@laurel/client": at("client/src/index.ts") },
  tsconfig: at("tsconfig.json"),
  legalComments: "none",
});
for (const file of ["example.html", "example.css"]) cpSync(at(`src/widgets/example/${file}`), at(`dist/widgets/${file}`));
for (const name of names) console.log(`widgets/${name}.js  ${(gzipSync(readFileSync(at(`dist/widgets/${name}.js`)), { level: 9 }).length / 1000).toFixed(1)} KB with gzip`);
