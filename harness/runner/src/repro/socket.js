// A WebSocket client, by hand: upgrades, then sends one frame after the other, each once the one before is answered. What came back is
// kept as one JSON object: the answers by the id of the frame that they belong to, and "closed" if the gateway hung up.
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const [work, name, port] = process.argv.slice(2);
const request = JSON.parse(fs.readFileSync(`${work}/request`, 'utf8'));
const frames = JSON.parse(request.body);
const answers = {};

const finish = (status, type, body) => {
  fs.writeFileSync(`${work}/${name}`, body);
  fs.writeFileSync(`${work}/${name}.seen`, `${status}\n${type}\n`);
  process.exit();
};
const fail = (why) => {
  console.error(`no answer: ${why}`);
  process.exit(1);
};
const done = () => finish(101, '', JSON.stringify(answers));
setTimeout(() => fail('not within 120 s'), 120000);

const headers = [
  ['Host', `127.0.0.1:${port}`],
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', crypto.randomBytes(16).toString('base64')],
  ...request.headers.map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]),
];
const upgrade = http.request({ host: '127.0.0.1', port, path: request.target, headers: headers.flat() });
upgrade.on('error', (error) => fail(error.message));
upgrade.on('response', (response) => {
  const parts = [];
  response.on('data', (part) => parts.push(part));
  response.on('end', () => finish(response.statusCode, response.headers['content-type'] || '', Buffer.concat(parts)));
});
upgrade.on('upgrade', (_, socket, head) => {
  let bytes = head;
  let message = [];
  let waiting;
  const send = (opcode, payload) => {
    const mask = crypto.randomBytes(4);
    const size = payload.length;
    const length = size < 126 ? [0x80 | size] : [0x80 | 126, size >> 8, size & 255];
    const masked = Buffer.from(payload.map((byte, index) => byte ^ mask[index % 4]));
    socket.write(Buffer.concat([Buffer.from([0x80 | opcode, ...length]), mask, masked]));
  };
  const next = () => {
    waiting = frames.shift();
    if (!waiting) return done();
    send(1, Buffer.from(JSON.stringify(waiting)));
  };
  const take = (opcode, payload) => {
    if (opcode === 9) return send(10, payload);
    if (opcode === 8) {
      answers.closed = payload.length < 2 ? {} : { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
      return done();
    }
    if (opcode !== 1) return undefined;
    // The gateway speaks first; that it does is not what is asked.
    if (!waiting) return next();
    const { type, id, ...answer } = JSON.parse(payload.toString());
    if (type !== 'res' || id !== waiting.id) return undefined;
    answers[id] = answer;
    // Whoever is refused at the door is not heard any more.
    return id === 'connect' && answer.ok === false ? done() : next();
  };
  const read = () => {
    for (;;) {
      if (bytes.length < 2) return;
      const short = bytes[1] & 127;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length < start) return;
      const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < start + size) return;
      const [first, payload] = [bytes[0], bytes.subarray(start, start + size)];
      bytes = bytes.subarray(start + size);
      if ((first & 15) >= 8) take(first & 15, payload);
      else {
        message.push(payload);
        if (first & 128) {
          const whole = Buffer.concat(message);
          message = [];
          take(1, whole);
        }
      }
    }
  };
  socket.on('data', (part) => {
    bytes = Buffer.concat([bytes, part]);
    read();
  });
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => {
    answers.closed = answers.closed || {};
    done();
  });
  setTimeout(() => waiting || next(), 2000);
  read();
});
upgrade.end();
