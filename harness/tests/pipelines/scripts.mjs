// Writes every `run` of workflows and actions into a file of its own, for shellcheck: scripts.mjs FOLDER FILE...
//
// A value that is pasted into a script can be code, so an expression in one is an error: it belongs into `env`.
import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const [folder, ...files] = process.argv.slice(2);
let count = 0;
for (const file of files) {
  const { jobs = {}, runs } = parse(fs.readFileSync(file, 'utf8'));
  for (const { run, shell } of [...Object.values(jobs), runs ?? { steps: [] }].flatMap((job) => job.steps)) {
    if (run === undefined) continue;
    if (run.includes('${{')) {
      console.error(`${file}: an expression in a script: ${run}`);
      process.exitCode = 1;
    }
    count += 1;
    const name = `${path.basename(file, '.yml')}-${count}.sh`;
    fs.writeFileSync(path.join(folder, name), `#!/bin/${shell ?? 'bash'}\n${run}\n`);
  }
}
