// Makes a TypeScript file of tests or tools something that Node runs. What comes from node_modules stays there.
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Builds the files into build/<dir>, and returns where the results are. */
export async function bundle(files, dir) {
  const outdir = at(`build/${dir}`);
  const { metafile } = await esbuild.build({
    entryPoints: files.map(at),
    entryNames: "[name]",
    outdir,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node18",
    packages: "external",
    sourcemap: "inline",
    metafile: true,
    alias: { "@laurel/client": at("client/src/index.ts") },
    tsconfig: at("tsconfig.json"),
  });
  return Object.keys(metafile.outputs);
}
