// ---------- How it is asked ----------
let keeper, verdict; // the first one counts
const finish = (how) => (verdict ??= how, keeper?.exitCode === null ? keeper.stdin.end() : process.exit(how()));
for (const name of ["SIGHUP", "SIGINT", "SIGTERM"]) process.on(name, (_, number) => finish(() => 128 + number));
process.on("uncaughtException", ({ message }) => finish(() => (console.error(`cannot tell: ${message}`), 125)));
const work = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "openclaw-repro."));
// Its stdin ends when this script ends, in whatever way. Then it ends the process groups that it has been told of.
keeper = child_process.spawn("sh", ["-c", `groups=$(cat)
  for signal in TERM KILL; do for id in $groups; do kill -s "$signal" -- "-$id" && sleep 2; done; done
  for id in $(grep -lsF "$0/" /proc/[0-9]*/environ | cut -d / -f 3); do kill -9 "$id"; done # who has left it, on Linux
  [ "$REPRO_KEEP" ] || rm -rf "$0" || (sleep 1; rm -rf "$0")`, work], { detached: true, stdio: ["pipe", 2, "ignore"] });
keeper.on("exit", () => process.exit(verdict ? verdict() : 125));
const start = (log, [command, ...args], cwd, env) => {
  const out = fs.openSync(`${work}/${log}`, "a");
  const child = child_process.spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", out, out] });
  keeper.stdin.write(`${child.pid ?? ""}\n`);
  return child;
};
const read = (log) => fs.readFileSync(`${work}/${log}`, "utf8").trim();
const fail = (why, log) => { throw new Error(`${why}; the end of ${log}:\n${read(log).slice(-2000)}`); };
const parse = (text) => { try { return JSON.parse(text); } catch { return undefined; } };
const pause = util.promisify(setTimeout);
const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
const values = { config: `${work}/openclaw.json`, log: `${work}/own.log` }; // what the placeholders stand for
const fill = (text) => text.replace(/\$(\$\{)|\$\{([\w|-]+)\}/g, (_, plain, name) => plain ?? values[name]);
if (/["\\]/.test(work)) throw new Error(`the name of the folder has a quote in it: ${work}`);
//@ if model
// The model says "pong" to everybody, and notes whose request it was called for.
const heard = [];
const model = http.createServer(async (request, response) => {
  const text = (await request.toArray()).join("");
  heard.push((text.match(/canary-[0-9a-f]{16}/g) ?? []).pop());
  const isStream = /"stream": ?true/.test(text);
  const choices = [{ index: 0, finish_reason: "stop", delta: { content: "pong" }, message: { content: "pong" } }];
  //@ end
  //@ if embeddings
  const data = [{ object: "embedding", index: 0, embedding: [0.5, 0.25, 0.125] }];
  const answer = JSON.stringify({ object: "list", model: "fake-embedding", data, choices });
  //@ end
  //@ if model !embeddings
  const answer = JSON.stringify({ id: "pong", object: "chat.completion", created: 1, model: "fake-model", choices });
  //@ end
  //@ if model
  response.setHeader("content-type", isStream ? "text/event-stream" : "application/json");
  response.end(isStream ? `data: ${answer}\n\ndata: [DONE]\n\n` : answer);
});
//@ end
//@ if device
// A device's identity: its key pair by its name, and what it signs of a connect request.
const sha256 = (data) => crypto.createHash("sha256").update(data).digest();
const keysOf = (name) => {
  const seed = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), sha256(`device ${name}`)]);
  const key = crypto.createPrivateKey({ key: seed, format: "der", type: "pkcs8" });
  const shown = crypto.createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { key, shown, id: sha256(shown).toString("hex") };
};
const identify = (frame, nonce) => {
  const { client, role, scopes = [], auth = {}, device } = frame.params ?? {};
  const told = device?.$device;
  if (told) {
    const { shown, id } = keysOf(told.key);
    const signedAt = Date.now() - (told.age ?? 0) * 1000;
    const token = auth.token ?? auth.deviceToken ?? auth.bootstrapToken ?? "";
    const fields = { deviceId: id, clientId: client.id, clientMode: client.mode, role, scopes: scopes.join(","), signedAt, token, nonce,
      platform: client.platform, deviceFamily: "", ...told.signed };
    const signed = [told.format ?? "v2", ...Object.values(fields).slice(0, told.format === "v3" ? 10 : 8)].join("|");
    const signature = crypto.sign(null, Buffer.from(signed), keysOf(told.by ?? told.key).key).toString("base64url");
    const sent = { id, publicKey: shown.toString("base64url"), signature, signedAt, nonce, ...told.sent };
    frame.params.device = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null));
  }
  return JSON.parse(JSON.stringify(frame), (_, value) => (value?.["$device-id"] ? keysOf(value["$device-id"]).id : value));
};
//@ end
//@ if socket
// Sends one frame after the other, each once the one before is answered. The answers, by the id of the frame.
const converse = (socket, frames, bytes) => new Promise((done) => {
  const answers = {};
  let asked;
  //@ if device
  let nonce = "";
  //@ end
  const next = () => {
    asked = frames.shift();
    if (!asked) return done(answers);
    //@ if silence
    if (asked.$silence) return setTimeout(next, asked.$silence * 1000);
    //@ end
    //@ if device
    asked = identify(asked, nonce);
    //@ end
    // A frame that is a text is sent as it is; a long text stands in one by its length.
    const long = (_, value) => (value?.$letters ? "x".repeat(value.$letters) : value);
    const text = Buffer.from(typeof asked === "string" ? asked : JSON.stringify(asked, long));
    const digits = [24, 16, 8, 0].map((shift) => (text.length >> shift) & 255);
    const size = text.length < 126 ? [128 | text.length] : text.length < 65536 ? [254, ...digits.slice(2)] : [255, 0, 0, 0, 0, ...digits];
    // A mask of zeros changes nothing.
    return socket.write(Buffer.concat([Buffer.from([0x81, ...size, 0, 0, 0, 0]), text]));
  };
  const take = (opcode, payload) => {
    const closed = payload.length < 2 ? {} : { code: payload.readUInt16BE(), reason: payload.toString("utf8", 2) };
    if (opcode === 8) return done({ ...answers, closed });
    if (opcode !== 1) return undefined;
    //@ if device
    if (!asked) nonce = parse(payload)?.payload?.nonce ?? "";
    //@ end
    if (!asked) return next(); // the gateway speaks first
    const { type, id, ...answer } = JSON.parse(payload);
    if (type !== "res" || id !== asked.id) return undefined;
    answers[id] = answer;
    return id === "connect" && answer.ok === false ? done(answers) : next();
  };
  const parts = (part) => {
    bytes = Buffer.concat([bytes, part]);
    while (bytes.length > 1) {
      const start = { 126: 4, 127: 10 }[bytes[1]] ?? 2;
      if (bytes.length < start) return;
      const size = start === 2 ? bytes[1] : start === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < start + size) return;
      const [opcode, payload] = [bytes[0] & 15, bytes.subarray(start, start + size)];
      bytes = bytes.subarray(start + size);
      take(opcode, payload);
    }
  };
  socket.on("data", parts).on("error", () => {}).on("close", () => done({ ...answers, closed: {} }));
  setTimeout(() => asked || next(), 2000).unref();
  parts(Buffer.alloc(0));
});
//@ end
// Sends the bytes as they stand above, and leaves it to Node to read the answer.
//@ if !socket !again
const send = ({ head, body = "" }, patience = 120) => new Promise((done) => {
//@ end
//@ if !socket again
const send = ({ head, body = "" }, patience = 120, isAgain = false) => new Promise((done) => {
//@ end
//@ if socket
const send = ({ head, body = "", frames, stays }, patience = 120) => new Promise((done) => {
//@ end
  //@ if !again
  values.canary = `canary-${crypto.randomBytes(8).toString("hex")}`;
  //@ end
  //@ if again
  if (!isAgain) values.canary = `canary-${crypto.randomBytes(8).toString("hex")}`; // the same request is the same in all of it
  //@ end
  values.length = Buffer.byteLength(fill(body));
  //@ if !port
  const socket = net.connect(values.port, "127.0.0.1");
  //@ end
  //@ if port
  const socket = net.connect(values.at ?? values.port, "127.0.0.1");
  //@ end
  socket.write(`${head.map(fill).join("\r\n")}\r\n\r\n${fill(body)}`);
  socket.write = () => true;
  const reader = http.request({ method: /^HEAD /.test(head[0]) ? "HEAD" : "GET", createConnection: () => socket });
  setTimeout(() => reader.destroy(), patience * 1000).unref();
  //@ if socket
  reader.on("upgrade", async (_, upgraded, rest) => {
    delete upgraded.write;
    const json = await converse(upgraded, JSON.parse(fill(JSON.stringify(frames))), rest);
    if (!stays) upgraded.destroy();
    done({ status: 101, text: JSON.stringify(json), json });
  });
  //@ end
  reader.on("error", () => done()).on("response", async (response) => {
    let text = "";
    for await (const part of response.setEncoding("utf8")) if ((text += part).includes("data: [DONE]")) break;
    const type = response.headers["content-type"]?.split(";")[0];
    //@ if !header
    done({ status: response.statusCode, "content type": type, text, json: parse(text) });
    //@ end
    //@ if header
    const cookies = response.headers["set-cookie"]?.map((line) => line.split(";")[0]).join("; "); // as a browser sends them back
    const headers = { ...response.headers, "set-cookie": cookies };
    done({ status: response.statusCode, "content type": type, text, json: parse(text), headers });
    //@ end
  }).end();
});
const isReady = async ([path, ...others] = probes) => {
  const seen = await send({ head: [`GET ${path} HTTP/1.1`, "Host: 127.0.0.1:${port}", "Connection: close"] }, 2);
  return seen?.status >= 400 && seen.status < 500 && others.length ? isReady(others) : seen?.status === 200;
};
const main = async () => {
  console.log(`gateway   ${REPRO_GATEWAY ?? packages.join(" ")}; ${os.type()} ${os.release()} ${os.arch()}; ${work}`);
  for (const name of ["home", "state", "tmp", "workspace"]) fs.mkdirSync((values[name] = `${work}/${name}`));
  for (const name of secrets) values[name] = `cG-${crypto.randomBytes(27).toString("base64").replace(/\W/g, "x")}`;
  //@ if session
  values.session = `visit-${crypto.randomBytes(8).toString("hex")}`;
  //@ end
  //@ derived
  //@ if model
  values.upstream = `http://127.0.0.1:${await listen(model)}/v1`;
  //@ end
  //@ if !model
  values.upstream = "http://127.0.0.1:9/v1"; // nobody asks the model
  //@ end
  let [node, entry] = [`${work}/node_modules/node/bin/node`, `${work}/node_modules/openclaw/openclaw.mjs`];
  if (REPRO_GATEWAY) [node, entry] = [process.execPath, path.resolve(REPRO_GATEWAY)];
  else {
    fs.writeFileSync(`${work}/package.json`, '{"overrides":{"libsignal":"2.0.1"}}'); // needs no git host
    const command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", ...packages];
    const npm = start("npm.log", command, work, { ...process.env, TMPDIR: values.tmp });
    if ((await new Promise((done) => npm.on("exit", done))) !== 0) fail("npm cannot install that", "npm.log");
  }
  const spare = net.createServer();
  values.port = await listen(spare);
  spare.close();
  //@ if !set
  fs.writeFileSync(values.config, fill(JSON.stringify(config).replaceAll('"${port}"', "${port}")), { mode: 0o600 });
  //@ end
  //@ if set
  const save = () => {
    const text = fill(JSON.stringify(config).replaceAll('"${port}"', "${port}"));
    fs.writeFileSync(`${values.config}.new`, text, { mode: 0o600 });
    fs.renameSync(`${values.config}.new`, values.config);
  };
  save();
  //@ end
  //@ if files
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(`${values.home}/${name}`), { recursive: true });
    fs.writeFileSync(`${values.home}/${name}`, fill(text), { mode: 0o600 });
  }
  //@ end
  const command = [...(/\.[cm]?js$/.test(entry) ? [node, entry] : [entry]), ...args.map(fill)];
  const PATH = `${path.dirname(node)}:${process.env.PATH}`;
  const gateway = start("gateway.log", command, values.workspace, { PATH, ...JSON.parse(fill(JSON.stringify(env))) });
  //@ if asks
  for (const end = Date.now() + REPRO_WAIT * 1000; !(await isReady()) || gateway.exitCode !== null; await pause(500))
    if (gateway.exitCode !== null || Date.now() > end) fail("the gateway does not start", "gateway.log");
  //@ end
  //@ if start
  const log = () => read("gateway.log");
  const hasRefused = () => gateway.exitCode !== null || refusals.some((words) => log().includes(words));
  let isUp = false;
  for (const end = Date.now() + REPRO_WAIT * 1000; !isUp && !hasRefused(); await pause(500)) {
    isUp = (await isReady()) && gateway.exitCode === null;
    if (Date.now() > end) fail("the gateway neither starts nor refuses to", "gateway.log");
  }
  if (!isUp) await pause(2000); // some releases have more to say
  //@ if exit
  for (let left = 30; !isUp && gateway.exitCode === null && left > 0; left -= 1) await pause(500);
  //@ end
  const seen = { start: isUp ? "up" : "refused", text: log() };
  //@ if exit
  seen["exit code"] = gateway.exitCode;
  //@ end
  if (/EADDRINUSE|address already in use|already listening/.test(seen.text)) fail("its port was taken", "gateway.log");
  finish(() => judge(seen));
  //@ end
  //@ if control
  await send(control);
  const isProven = heard.includes(values.canary);
  //@ end
  //@ if one
  const seen = (await send(request)) ?? fail("the gateway does not answer", "gateway.log");
  //@ end
  //@ if sequence
  let seen;
  //@ if !before
  for (const { title, set = {}, wait = 0, repeat = 1, ...request } of steps) {
  //@ end
  //@ if before !part
  for (const { title, wait = 0, repeat = 1, must, keep = {}, ...request } of steps) {
  //@ end
  //@ if part
  for (const { title, wait = 0, repeat = 1, must, keep = {}, after = {}, until = {}, ...request } of steps) {
  //@ end
    //@ if set
    for (const [where, value] of Object.entries(set)) {
      const keys = where.slice(1).split("/");
      const last = keys.pop();
      keys.reduce((table, key) => (table[key] ??= {}), config)[last] = value;
      save();
    }
    //@ end
    await pause(wait * 1000);
    //@ if port
    values.at = values[request.at];
    //@ end
    for (let left = repeat; left > 0; left -= 1) {
      //@ if !again
      seen = (await send(request)) ?? fail("the gateway does not answer", "gateway.log");
      //@ end
      //@ if again
      seen = (await send(request, 120, left < repeat)) ?? fail("the gateway does not answer", "gateway.log");
      //@ end
    }
    console.error(`${title}: ${seen.status}`);
    //@ if before
    if (must && seen.status !== must) throw new Error(`${title}: it must answer ${must}, and answers ${seen.status}`);
    //@ end
    //@ if keep
    for (const [name, where] of Object.entries(keep))
      //@ if header
      if (where[0] !== "/") values[name] = seen.headers[where]; else
      //@ end
      values[name] = where.slice(1).split("/").reduce((part, key) => part?.[key], seen.json);
    //@ end
    //@ if part
    for (const [name, words] of Object.entries(after)) values[name] = values[name]?.split(words).slice(1).join(words);
    for (const [name, words] of Object.entries(until)) values[name] = values[name]?.split(words)[0];
    //@ end
  }
  //@ end
  //@ if later
  // It answers first, and calls its model afterwards.
  const calls = () => heard.filter((canary) => canary === values.canary).length;
  for (const end = Date.now() + 30000; calls() < expected["model calls"] && Date.now() < end; await pause(200));
  await pause(2000); // whether there are more than that
  //@ end
  //@ if asks control
  finish(() => judge(seen, isProven));
  //@ end
  //@ if asks !control
  finish(() => judge(seen));
  //@ end
};
//@ if control
const judge = (seen, isProven) => {
//@ end
//@ if !control
const judge = (seen) => {
//@ end
  //@ if model
  seen["model calls"] = heard.filter((canary) => canary === values.canary).length;
  //@ end
  const find = (pointer) => pointer.slice(1).split("/").reduce((part, key) => part?.[key], seen.json) ?? null;
  //@ if !says
  const isOther = ([what, wanted]) => !util.isDeepStrictEqual(what[0] === "/" ? find(what) : seen[what], wanted);
  //@ end
  //@ if says
  const isSaid = (words) => (find("/error/message") ?? seen.text).includes(words);
  const isEqual = (what, wanted) => util.isDeepStrictEqual(what[0] === "/" ? find(what) : seen[what], wanted);
  const isOther = ([what, wanted]) => (what === "says" ? !isSaid(wanted) : !isEqual(what, wanted));
  //@ end
  const why = Object.entries(expected).filter(isOther).map(([what]) => what).join(", ");
  //@ if start
  const lines = seen.text.split("\n");
  const saying = (words) => lines.find((line) => line.includes(words));
  const line = [expected.says ?? "\n", ...refusals].map(saying).find(Boolean) ?? lines.pop();
  const saw = seen.start === "up" ? "the gateway starts" : `the gateway does not start: ${line.slice(0, 300)}`;
  //@ end
  //@ if asks
  const says = [find("/error/type"), find("/error/message")].filter(Boolean).join(": ") || seen.text.slice(0, 200);
  //@ end
  //@ if model
  const saw = `${seen.status} ${says}; calls to the model: ${seen["model calls"]}`;
  //@ end
  //@ if asks !model
  const saw = `${seen.status} ${says}`;
  //@ end
  //@ if known
  const as = Object.entries(known).some(isOther) ? "" : ", as the issue says";
  const bad = `the contract does not hold${as}: other ${why}`;
  //@ end
  //@ if !known
  const bad = `the contract does not hold: other ${why}`;
  //@ end
  //@ if control
  const holds = isProven ? "the contract holds" : "cannot tell: denied, but so was a caller who must be let in";
  console.log(`expected  ${JSON.stringify(expected)}\nobserved  ${saw}\nverdict   ${why ? bad : holds}`);
  return why ? 1 : isProven ? 0 : 125;
  //@ end
  //@ if !control
  console.log(`expected  ${JSON.stringify(expected)}\nobserved  ${saw}\nverdict   ${why ? bad : "the contract holds"}`);
  return why ? 1 : 0;
  //@ end
};
main();
