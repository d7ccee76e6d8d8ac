// node scripts/run.js FILE [ARGUMENT…]: runs a TypeScript file.
import { pathToFileURL } from "node:url";
import { bundle } from "./bundle.js";

const [file, ...rest] = process.argv.slice(2);
const [built] = await bundle([file], "run");
process.argv = [process.argv[0], built, ...rest];
await import(pathToFileURL(built).href);
