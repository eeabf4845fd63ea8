// The sheet of components: built beside the page, and served for one browser.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };

/** Builds it from the folder of the page; gives its address. */
export async function sheet(page) {
  const folder = mkdtempSync(join(tmpdir(), "tl-sheet-"));
  const build = ["node_modules/vite/bin/vite.js", "build", "--mode", "components", "--logLevel", "error", "--outDir", folder];
  execFileSync(process.execPath, build, { cwd: page, stdio: "inherit" });
  const server = http.createServer((request, response) => {
    const name = request.url.slice(1);
    try {
      const body = readFileSync(join(folder, name));
      response.setHeader("content-type", TYPES[name.split(".").at(-1)] ?? "application/octet-stream");
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  };
  return { url: `http://127.0.0.1:${server.address().port}/components.html`, close };
}
