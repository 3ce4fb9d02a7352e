// Merges a change into the gateway's configuration while it runs.
const fs = require('fs');
const [file, change] = process.argv.slice(2);
const isTable = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const merge = (bottom, top) => {
  for (const [key, value] of Object.entries(top)) {
    if (isTable(bottom[key]) && isTable(value)) merge(bottom[key], value);
    else bottom[key] = value;
  }
  return bottom;
};
const config = merge(JSON.parse(fs.readFileSync(file)), JSON.parse(fs.readFileSync(change)));
fs.writeFileSync(`${file}.new`, JSON.stringify(config), { mode: 0o600 });
fs.renameSync(`${file}.new`, file);
