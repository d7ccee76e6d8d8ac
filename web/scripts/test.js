// node scripts/test.js DIR [NAME…]: runs the tests of a directory, or those named, and fails as they do.
import { spawn } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.js";

const [dir, ...names] = process.argv.slice(2);
const root = fileURLToPath(new URL("..", import.meta.url));
const wanted = readdirSync(`${root}/${dir}`).filter((name) => name.endsWith(".test.ts") && (names.length === 0 || names.some((n) => name.startsWith(n))));
rmSync(`${root}/build/${dir}`, { recursive: true, force: true });
const built = await bundle(wanted.map((name) => `${dir}/${name}`), dir);
// One file after the other: browsers and servers at once would only make each other slow.
const run = spawn(process.execPath, ["--enable-source-maps", "--test", "--test-concurrency=1", "--test-reporter=spec", ...built], { cwd: root, stdio: "inherit", env: { LAUREL_BIN: `${root}/../bin/laurel`, ...process.env } });
run.on("exit", (code) => process.exit(code ?? 1));
