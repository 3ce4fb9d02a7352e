#!/usr/bin/env node
// Starts the clawgauge of this machine's platform package, and ends as it ends.
'use strict';

const { spawn } = require('node:child_process');
const { constants } = require('node:os');

const platform = `@clawgauge/${process.platform}-${process.arch}`;

function binary() {
  if (process.env.CLAWGAUGE_BINARY) return process.env.CLAWGAUGE_BINARY;
  try {
    return require.resolve(`${platform}/bin/clawgauge`);
  } catch {
    const { optionalDependencies } = require('../package.json');
    const known = Object.keys(optionalDependencies);
    const next = known.includes(platform)
      ? `the package ${platform} is not installed; install again without --omit=optional: npm install clawgauge`
      : `there is no package for ${process.platform} on ${process.arch}, only ${known.join(', ')}; ` +
        'build it from its source with cargo install --path harness/clawgauge, and set CLAWGAUGE_BINARY to its path';
    fail(next);
  }
}

// 4 is clawgauge's code for: nothing ran.
function fail(why) {
  console.error(`clawgauge: ${why}`);
  process.exit(4);
}

const path = binary();
const child = spawn(path, process.argv.slice(2), { stdio: 'inherit' });

child.on('error', (error) => fail(`cannot start ${path}: ${error.message}`));

// The binary stops its gateways when it is asked to end, so the launcher must hand the wish on and outlive it. At a
// terminal both get Ctrl-C; asking twice does no harm.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => child.kill(signal));
}

child.on('exit', (code, signal) => {
  process.exit(code ?? 128 + constants.signals[signal]);
});
