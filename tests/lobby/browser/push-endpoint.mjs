// A push service for tests, with the keys of one browser: checks who sends (RFC 8292), decrypts what comes (RFC 8291)
// with node's own crypto, and prints each request as a line of JSON. What it answers is in the path.

import crypto from "node:crypto";
import http from "node:http";

const browser = crypto.createECDH("prime256v1");
browser.generateKeys();
const auth = crypto.randomBytes(16);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** The claims of the `Authorization` header, and the key that signed them. Throws if it did not. */
function signed(header) {
  const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(header);
  const point = Buffer.from(key, "base64url");
  const coordinate = (from) => point.subarray(from, from + 32).toString("base64url");
  const jwk = { kty: "EC", crv: "P-256", x: coordinate(1), y: coordinate(33) };
  const [head, claims, signature] = token.split(".");
  const publicKey = crypto.createPublicKey({ key: jwk, format: "jwk" });
  const isSigned = crypto.verify(
    "sha256",
    Buffer.from(`${head}.${claims}`),
    { key: publicKey, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  if (!isSigned) throw new Error("the signature is wrong");
  return { key, ...JSON.parse(Buffer.from(claims, "base64url")) };
}

/** What a body says. */
function decrypted(body) {
  const salt = body.subarray(0, 16);
  const sender = body.subarray(21, 21 + body[20]);
  const bytes = body.subarray(21 + body[20]);
  const derive = (secret, salt, info, length) => Buffer.from(crypto.hkdfSync("sha256", secret, salt, info, length));
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), browser.getPublicKey(), sender]);
  const secret = derive(browser.computeSecret(sender), auth, info, 32);
  const key = derive(secret, salt, "Content-Encoding: aes128gcm\0", 16);
  const nonce = derive(secret, salt, "Content-Encoding: nonce\0", 12);
  const decipher = crypto.createDecipheriv("aes-128-gcm", key, nonce);
  decipher.setAuthTag(bytes.subarray(-16));
  const plain = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
  return JSON.parse(plain.subarray(0, plain.lastIndexOf(2)));
}

let busy = 0;
const server = http.createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const path = request.url;
  const { ttl, topic, urgency } = request.headers;
  try {
    const claims = signed(request.headers.authorization);
    say({ path, method: request.method, ttl, topic, urgency, claims, message: decrypted(Buffer.concat(parts)), size: Buffer.concat(parts).length });
  } catch (error) {
    say({ path, error: String(error) });
  }
  if (path === "/hang") return;
  if (path === "/gone") response.writeHead(410);
  else if (path === "/redirect") response.writeHead(307, { location: "/led-elsewhere" });
  else if (path === "/busy" && busy++ === 0) response.writeHead(429, { "retry-after": "1" });
  else if (path === "/huge") {
    response.writeHead(201);
    const flood = () => response.write(Buffer.alloc(1 << 20), (error) => error || flood());
    flood();
    return;
  } else response.writeHead(201);
  response.end();
});
server.listen(0, "127.0.0.1", () => {
  const base64 = (bytes) => bytes.toString("base64url");
  say({ port: server.address().port, p256dh: base64(browser.getPublicKey()), auth: base64(auth) });
});
// Ends with the test.
process.stdin.on("end", () => process.exit()).resume();
