import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vite";
import solid from "vite-plugin-solid";

/** Packs every file beside itself, so that the program needs not do it for each answer. */
function packed() {
  let root;
  return {
    name: "packed",
    configResolved(config) {
      root = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(html|js|css|svg|txt|webmanifest)$/.test(entry.name)) continue;
        const file = join(entry.parentPath, entry.name);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

/** Collects the licences of all packages of which something is in the page. One without a text of its own fails the build. */
function licences() {
  return {
    name: "licences",
    generateBundle(_, bundle) {
      const used = new Set();
      for (const part of Object.values(bundle)) {
        for (const id of part.moduleIds ?? []) {
          const found = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(id);
          if (found) used.add(found[1]);
        }
      }
      const texts = [...used].map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        if (!file) this.error(`${name} has no licence of its own`);
        return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
      });
      const source = texts.sort().join(`\n${"-".repeat(72)}\n\n`);
      this.emitFile({ type: "asset", fileName: "licenses.txt", source });
    },
  };
}

/** The chunk of a module: one for all that the list needs, which is packed better and asked for once. */
const first = new Set();
function chunkOf(id, modules) {
  if (first.size === 0) {
    const enter = (module) => {
      if (first.has(module)) return;
      first.add(module);
      for (const other of modules.getModuleInfo(module)?.importedIds ?? []) enter(other);
    };
    enter(join(import.meta.dirname, "src/main.tsx"));
  }
  return first.has(id) ? "first" : null;
}

/** With `--mode components`, the sheet of components instead of the page: it is in no program. */
export default defineConfig(({ mode }) => ({
  base: "/",
  plugins: [solid(), licences(), packed()],
  build: {
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 600,
    rolldownOptions:
      mode === "components"
        ? { input: "components.html" }
        : { output: { codeSplitting: { groups: [{ name: chunkOf, debugName: "first" }] } } },
  },
}));
