#!/bin/sh
# Builds the page into src/lobby/page/dist, where `cargo build` takes it from; does nothing if that is up to date.
# Needs npm, and a node that Vite runs on (package.json, "engines"): where there is only an older one, npm brings
# another into target/node.
set -eu
cd "$(dirname "$0")"

# What the page is made of, as one line.
sources() { git ls-files --cached --others --exclude-standard . | sort | xargs cat | sha256sum; }

if [ -f dist/.sources ] && [ "$(sources)" = "$(cat dist/.sources)" ]; then
    exit 0
fi
printf 'page: building\n' >&2

# suits NODE: whether Vite runs on it.
suits() { "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number);
    process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }

node=$(command -v node || echo none)
if ! suits "$node"; then
    root=${CARGO_TARGET_DIR:-../../../target}/node
    mkdir -p "$root"
    [ -x "$root/node_modules/node/bin/node" ] ||
        npm install --prefix "$root" --no-save --no-audit --no-fund --loglevel=error node@22.12.0 >&2
    PATH=$(cd "$root/node_modules/node/bin" && pwd):$PATH
fi
# Not `npm ci`, which refuses a lock file without the optional parts for other systems; what is in it is pinned here, too.
npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >&2
npm run --silent build >&2
sources >dist/.sources
