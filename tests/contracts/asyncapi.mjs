// Validates schemas/asyncapi.json with the official AsyncAPI parser, pinned in package.json beside this file. Installs it into the
// folder named, once; needs Node.js 18 and npm. Ends with 77 when it cannot be fetched. Run: tests/all/asyncapi.sh
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const document = join(here, "../../schemas/asyncapi.json");
const pinned = JSON.parse(readFileSync(join(here, "package.json"), "utf8")).dependencies["@asyncapi/parser"];
const folder = join(resolve(process.argv[2]), pinned);

// The file that npm writes last tells a whole folder from one that was broken off.
if (!existsSync(join(folder, "node_modules", ".package-lock.json"))) {
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(here, "package.json"), join(folder, "package.json"));
  const quiet = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--loglevel=error"];
  try {
    execFileSync("npm", quiet, { cwd: folder, stdio: "inherit" });
  } catch {
    console.log(`skipped: the npm package @asyncapi/parser ${pinned} cannot be fetched`);
    process.exit(77);
  }
}
const { Parser } = createRequire(join(folder, "package.json"))("@asyncapi/parser");

const { document: parsed, diagnostics } = await new Parser().parse(readFileSync(document, "utf8"), { source: document });
// Severity 0 is an error and 1 a warning; the rest is advice.
const complaints = diagnostics.filter((diagnostic) => diagnostic.severity <= 1);
for (const { severity, path, message } of complaints) {
  console.error(`${severity === 0 ? "error" : "warning"} at ${path.join("/")}: ${message}`);
}
for (const { path, message } of diagnostics.filter((diagnostic) => diagnostic.severity > 1)) {
  console.log(`advice at ${path.join("/")}: ${message}`);
}
if (complaints.length > 0 || !parsed) {
  console.error(`schemas/asyncapi.json was not accepted (${complaints.length} complaints)`);
  process.exitCode = 1;
} else {
  const channels = parsed.channels().all().length;
  const messages = parsed.components().messages().all().length;
  console.log(`schemas/asyncapi.json is accepted: ${channels} channels, ${messages} messages`);
}
