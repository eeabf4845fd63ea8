// A stub of the gateway for what the page shows of it: every path of the lobby is there for an admin, alice, and below
// /as/bob/ once more. It says who is logged in, and that ann looks; all else is the lobby's own.

import http from "node:http";

/** `file` gives the text of a file of another build of the page, with its type. */
export async function stubGateway(lobby, cookies, file = () => undefined) {
  const { host } = new URL(lobby);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const headersOf = (request) => ({ ...request.headers, host, origin: `http://${host}`, cookie });
  const pathOf = (request) => request.url.replace(/^\/as\/bob(?=\/)/, "");
  const server = http.createServer((request, response) => {
    if (pathOf(request) === "/api/me") {
      const other = request.url.startsWith("/as/");
      const me = { user: other ? "bob" : "alice", host: "dev", actor: "alice", access: other ? "watch" : "drive" };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ...me, admin: true, users: ["alice", "bob"], mode: "oidc", logins: false }));
      return;
    }
    const own = file(pathOf(request));
    if (own) {
      response.setHeader("content-type", own.type);
      response.end(own.body);
      return;
    }
    const [hostname, port] = host.split(":");
    const options = { hostname, port, path: pathOf(request), method: request.method, headers: headersOf(request) };
    request.pipe(
      http.request(options, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  server.on("upgrade", (request, socket) => {
    const [hostname, port] = host.split(":");
    const upgrade = http.request({ hostname, port, path: pathOf(request), headers: headersOf(request) });
    upgrade.on("upgrade", (answer, other, head) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      other.unshift(head);
      other.pipe(socket).pipe(other);
      other.on("error", () => socket.destroy());
      socket.on("error", () => other.destroy());
      if (request.url === "/api/events") setTimeout(() => socket.write(textFrame({ type: "watched", by: ["ann"] })), 500);
    });
    upgrade.end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.closeAllConnections() ?? server.close() };
}

/** A short text message of a WebSocket, as a server sends it. */
function textFrame(message) {
  const text = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from([0x81, text.length]), text]);
}
