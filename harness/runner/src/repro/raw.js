// Sends what curl cannot: header lines byte for byte, whatever is in them.
const fs = require('fs');
const net = require('net');
const [work, name, port] = process.argv.slice(2);
const request = JSON.parse(fs.readFileSync(`${work}/request`, 'utf8'));
const body = Buffer.from(request.body || '');
const lines = [`${request.method} ${request.target} HTTP/1.1`];
if (!request.headers.some((line) => /^host:/i.test(line))) lines.push(`Host: 127.0.0.1:${port}`);
lines.push('Connection: close');
if (body.length > 0 || request.method === 'POST') lines.push(`Content-Length: ${body.length}`);
lines.push(...request.headers, '', '');

const socket = net.connect(Number(port), '127.0.0.1');
const parts = [];
let failed = '';
socket.setTimeout(120000, () => socket.destroy(new Error('no answer within 120 s')));
socket.on('error', (error) => (failed = error.message));
socket.on('data', (part) => parts.push(part));
socket.write(Buffer.concat([Buffer.from(lines.join('\r\n')), body]));

const unchunk = (bytes) => {
  const chunks = [];
  for (;;) {
    const end = bytes.indexOf('\r\n');
    const size = parseInt(bytes.toString('latin1', 0, end), 16);
    if (end < 0 || !size) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(end + 2, end + 2 + size));
    bytes = bytes.subarray(end + 4 + size);
  }
};
socket.on('close', () => {
  let answer = Buffer.concat(parts);
  let head;
  do {
    const end = answer.indexOf('\r\n\r\n');
    head = end < 0 ? '' : answer.toString('latin1', 0, end);
    answer = answer.subarray(end + 4);
  } while (/^HTTP\/1\.. 1/.test(head));
  const status = (/^HTTP\/1\.. ([0-9]{3})/.exec(head) || [])[1];
  if (!status) {
    console.error(`no answer: ${failed || 'the connection was closed'}`);
    process.exitCode = 1;
    return;
  }
  const header = (name) => (new RegExp(`^${name}:[ \t]*(.*?)[ \t]*$`, 'im').exec(head) || [])[1] || '';
  if (/chunked/i.test(header('transfer-encoding'))) answer = unchunk(answer);
  fs.writeFileSync(`${work}/${name}`, request.method === 'HEAD' ? '' : answer);
  fs.writeFileSync(`${work}/${name}.seen`, `${status}\n${header('content-type')}\n`);
});
