// node scripts/run.js FILE [ARGUMENT…]: runs a TypeScript file.
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundle } from "./bundle.js";

const [file, ...rest] = process.argv.slice(2);
const [built] = await bundle([file], "run");
process.argv = [process.argv[0], built, ...rest];
process.env.LAUREL_BIN ??= fileURLToPath(new URL("../../bin/laurel", import.meta.url));
await import(pathToFileURL(built).href);
