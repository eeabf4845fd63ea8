// A real OpenID provider (npm oidc-provider) for the tests of mode `oidc`, at 127.0.0.1.
//
//   node provider.mjs MODULES REDIRECT-URI [PORT]
//
// MODULES is the directory that holds node_modules. Prints the issuer and serves until it is killed. A person logs in with any
// password; the identity (`preferred_username`) is the name with `@example.org`, except for `nameless`, who has none.
// `/test/lie?KIND` makes the next ID token wrong in one way, signed by the provider's own key unless said otherwise:
// audience, issuer, nonce, expired, key (another key), none (no signature).

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { generateKeyPairSync } from "node:crypto";
import { pathToFileURL } from "node:url";

const [modules, redirect, port = "0"] = process.argv.slice(2);
const require = createRequire(`${modules}/node_modules/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Provider } = await load("oidc-provider");
const jose = await load("jose");

const key = () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const own = key();
const jwk = { ...(await jose.exportJWK(own)), kid: "own", alg: "RS256", use: "sig" };

const server = createServer();
await new Promise((listening) => server.listen(Number(port), "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "lobby",
      client_secret: "a-secret-of-the-lobby",
      redirect_uris: [redirect],
      token_endpoint_auth_method: "client_secret_basic",
    },
  ],
  claims: { openid: ["sub"], profile: ["preferred_username"] },
  conformIdTokenClaims: false, // the claims of the scopes are in the ID token
  jwks: { keys: [jwk] },
  cookies: { keys: ["only-for-tests"] },
  pkce: { required: () => true },
  // Consent is given to our own client.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, ...(id === "nameless" ? {} : { preferred_username: `${id}@example.org` }) }),
  }),
});

let lie = "";
const lies = {
  audience: (claims) => [{ ...claims, aud: "another-client" }, own],
  issuer: (claims) => [{ ...claims, iss: "http://127.0.0.1:1" }, own],
  nonce: (claims) => [{ ...claims, nonce: "another" }, own],
  expired: (claims) => [{ ...claims, iat: claims.iat - 7200, exp: claims.iat - 3600 }, own],
  key: (claims) => [claims, key()],
};

async function told(token) {
  const claims = jose.decodeJwt(token);
  if (lie === "none") return new jose.UnsecuredJWT(claims).encode();
  const [changed, signer] = lies[lie](claims);
  return new jose.SignJWT(changed).setProtectedHeader({ alg: "RS256", kid: "own" }).sign(signer);
}

provider.use(async (ctx, next) => {
  if (ctx.path === "/test/lie") {
    lie = ctx.querystring;
    ctx.body = "";
    return;
  }
  await next();
  if (lie && ctx.path === "/token" && ctx.body?.id_token) {
    ctx.body = { ...ctx.body, id_token: await told(ctx.body.id_token) };
    lie = "";
  }
});

server.on("request", provider.callback());
console.log(issuer);
