// Starts the gateway in a process group of its own. Told to stop, or left alone by the script, it takes down whatever
// the gateway has started.
const fs = require('fs');
const { spawn } = require('child_process');
const [work, keep, command, ...args] = process.argv.slice(2);
const log = fs.openSync(`${work}/gateway.log`, 'a');
const child = spawn(command, args, { cwd: `${work}/workspace`, detached: true, stdio: ['ignore', log, log] });
let orphan = false;
let ended = false;

const signal = (id, name) => {
  try {
    process.kill(id, name);
  } catch (error) {
    // It is gone already.
  }
};

// What has left the group is known by the folder in its environment (Linux).
const sweep = () => {
  let ids = [];
  try {
    ids = fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid);
  } catch (error) {
    return;
  }
  for (const id of ids) {
    try {
      if (fs.readFileSync(`/proc/${id}/environ`, 'latin1').includes(`=${Buffer.from(work).toString('latin1')}/`)) signal(Number(id), 'SIGKILL');
    } catch (error) {
      // Not ours to read, or gone.
    }
  }
};

const end = (how) => {
  if (ended) return;
  ended = true;
  if (child.pid) signal(-child.pid, 'SIGKILL');
  sweep();
  if (orphan && keep !== 'keep') fs.rmSync(work, { recursive: true, force: true });
  else fs.writeFileSync(`${work}/gateway-end`, `${how}\n`);
  process.exit();
};
child.on('exit', (code, name) => end(name ? `ended by ${name}` : `ended with exit code ${code}`));
child.on('error', (error) => end(error.message));

const stop = () => {
  if (child.pid) signal(-child.pid, 'SIGTERM');
  setTimeout(() => end('had to be killed'), 5000);
};
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, stop);
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent && !orphan) {
    orphan = true;
    stop();
  }
}, 500);
