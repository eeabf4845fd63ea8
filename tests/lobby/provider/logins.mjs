// Logins at the lobby by a real OpenID provider, as a browser does them, right and wrong ones.
//
//   node logins.mjs LOBBY ISSUER
//
// Prints nothing and ends with 0, or throws.

import assert from "node:assert/strict";

const [lobby, issuer] = process.argv.slice(2);

/** What a browser keeps: cookies by origin. */
class Browser {
  #cookies = new Map();

  /** Sends a request; follows no redirect. */
  async send(url, options = {}) {
    const { origin } = new URL(url);
    const own = this.#cookies.get(origin) ?? new Map();
    const cookie = [...own].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { redirect: "manual", ...options, headers: { ...options.headers, cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(";")[0].split(/=(.*)/s);
      if (value === "" || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) own.delete(name);
      else own.set(name, value);
    }
    this.#cookies.set(origin, own);
    return answer;
  }

  /** Where an answer leads. */
  static target(answer, base) {
    assert.ok([301, 302, 303, 307].includes(answer.status), `${answer.status} is no redirect`);
    return new URL(answer.headers.get("location"), base).href;
  }

  /** Begins at the lobby and logs in at the provider; gives the address that leads back, unused. */
  async returning(name) {
    let url = Browser.target(await this.send(`${lobby}/login`), lobby);
    assert.ok(url.startsWith(`${issuer}/auth?`), url);
    for (let steps = 0; steps < 10; steps++) {
      let answer = await this.send(url);
      if (answer.status === 200) {
        const form = (await answer.text()).match(/action="([^"]+)"/)[1];
        const body = new URLSearchParams({ prompt: "login", login: name, password: "any" });
        answer = await this.send(new URL(form, url).href, { method: "POST", body });
      }
      url = Browser.target(answer, url);
      if (url.startsWith(lobby)) return url;
    }
    throw new Error("the provider leads nowhere");
  }

  async me() {
    const answer = await this.send(`${lobby}/api/me`);
    return answer.status === 200 ? (await answer.json()).user : answer.status;
  }
}

/** An attempt that must not log in. */
async function refused(what, browser, url) {
  const answer = await browser.send(url);
  assert.ok(answer.status >= 400 && answer.status < 600, `${what}: ${answer.status}`);
  assert.equal(await browser.me(), 401, what);
}

// The right one, and what the address asks for.
const ann = new Browser();
assert.equal(await ann.me(), 401);
const begun = new URL(Browser.target(await new Browser().send(`${lobby}/login`), lobby)).searchParams;
assert.equal(begun.get("response_type"), "code");
assert.equal(begun.get("code_challenge_method"), "S256");
assert.equal(begun.get("redirect_uri"), `${lobby}/login/callback`);
for (const name of ["state", "nonce", "code_challenge"]) assert.ok(begun.get(name).length >= 22, name);
const used = await ann.returning("ann");
const back = await ann.send(used);
assert.ok([302, 303].includes(back.status), `${back.status}: ${await back.text()}`);
assert.equal(Browser.target(back, lobby), `${lobby}/`);
assert.equal(await ann.me(), "ann");

// The same address again, in this browser and in another, which has what is secret in it.
const other = new Browser();
await refused("a used code in another browser", other, used);
assert.ok((await ann.send(used)).status >= 400, "a used code");
assert.equal(await ann.me(), "ann");

// A code that was used, with a state that was not.
const again = new Browser();
const fresh = new URL(await again.returning("ann"));
fresh.searchParams.set("code", new URL(used).searchParams.get("code"));
await refused("a replayed code", again, fresh.href);

// Somebody else's login, begun by an attacker: the victim's browser did not begin it.
const attacker = new Browser();
await refused("a login that another browser began", new Browser(), await attacker.returning("bob"));

// A state that is not one, is missing, or is there without a code; an error of the provider's; another issuer.
for (const [what, change] of [
  ["a forged state", (query) => query.set("state", "A".repeat(43))],
  ["no state", (query) => query.delete("state")],
  ["no code", (query) => query.delete("code")],
  ["an error", (query) => (query.delete("code"), query.set("error", "access_denied"))],
  ["another issuer", (query) => query.set("iss", "http://127.0.0.1:1")],
  ["a long code", (query) => query.set("code", "x".repeat(10_000))],
]) {
  const browser = new Browser();
  const url = new URL(await browser.returning("ann"));
  change(url.searchParams);
  await refused(what, browser, url.href);
}

// People whom the map does not have, and one without the claim.
for (const name of ["nobody-here", "nameless", "root"]) {
  const browser = new Browser();
  const url = await browser.returning(name);
  const answer = await browser.send(url);
  assert.ok(answer.status >= 400, `${name}: ${answer.status}`);
  const me = await browser.me();
  assert.ok(me === 401 || me === 403, `${name}: ${me}`);
}

// A provider that errs, or another that has its key.
for (const lie of ["audience", "issuer", "nonce", "expired", "key", "none"]) {
  const browser = new Browser();
  const url = await browser.returning("ann");
  await fetch(`${issuer}/test/lie?${lie}`);
  await refused(`a wrong ${lie}`, browser, url);
}

// And it still works, for another person.
const bob = new Browser();
assert.ok((await bob.send(await bob.returning("bob"))).status < 400);
assert.equal(await bob.me(), "bob");
assert.equal(await ann.me(), "ann");
