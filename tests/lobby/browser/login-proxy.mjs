// A login proxy for one person: passes everything on to the gateway with the headers that say who it is.

import http from "node:http";

export async function loginProxy(port, identity) {
  const to = (request) => {
    const headers = { ...request.headers, ...identity, host: "lobby.test" };
    if (headers.origin) headers.origin = "http://lobby.test";
    return { hostname: "127.0.0.1", port, path: request.url, method: request.method, headers };
  };
  const sockets = new Set();
  const server = http.createServer((request, response) => {
    const passed = http.request(to(request), (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  });
  server.on("connection", (socket) => sockets.add(socket).size && socket.on("close", () => sockets.delete(socket)));
  server.on("upgrade", (request, socket, head) => {
    const passed = http.request(to(request));
    socket.on("error", () => passed.destroy());
    passed.on("error", () => socket.destroy());
    passed.on("response", (answer) => {
      socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      answer.resume();
    });
    passed.on("upgrade", (answer, other, begun) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      other.unshift(begun);
      socket.unshift(head);
      other.pipe(socket).pipe(other);
      other.on("error", () => socket.destroy());
      socket.on("error", () => other.destroy());
      other.on("close", () => socket.destroy());
      socket.on("close", () => other.destroy());
    });
    passed.end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}
