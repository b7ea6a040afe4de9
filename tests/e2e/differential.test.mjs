// A second implementation beside ours: thousands of tokens, each changed in one field or one byte, through the Worker and through `jose`.
// What jose refuses is never accepted here. What jose accepts is accepted too, but for the rows that say why not.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { AUDIENCE, ISSUER, SECRET, bearer, gateway, now, part } from "./harness.mjs";

const PSS = { padding: 6, saltLength: 32 };
const KINDS = {
  HS256: { sign: (input) => createHmac("sha256", SECRET).update(input).digest() },
  RS256: { pair: generateKeyPairSync("rsa", { modulusLength: 2048 }), sign: (input, key) => sign("sha256", input, key) },
  PS256: { pair: generateKeyPairSync("rsa", { modulusLength: 2048 }), sign: (input, key) => sign("sha256", input, { key, ...PSS }) },
  ES256: { pair: generateKeyPairSync("ec", { namedCurve: "P-256" }), sign: (input, key) => sign("sha256", input, { key, dsaEncoding: "ieee-p1363" }) },
  EdDSA: { pair: generateKeyPairSync("ed25519"), sign: (input, key) => sign(null, input, key) },
};
const jwks = { keys: Object.entries(KINDS).filter(([, kind]) => kind.pair).map(([alg, { pair }]) => ({ ...pair.publicKey.export({ format: "jwk" }), kid: alg, alg })) };
const rules = { issuer: ISSUER, audience: AUDIENCE };
const options = { ...rules, clockTolerance: 30, requiredClaims: ["exp"] };
const keySet = createLocalJWKSet(jwks);
const theirs = {
  HS256: (token) => jwtVerify(token, new TextEncoder().encode(SECRET), { ...options, algorithms: ["HS256"] }),
  public: (token) => jwtVerify(token, keySet, { ...options, algorithms: ["RS256", "PS256", "ES256", "EdDSA"] }),
};

let gate;
before(async () => {
  gate = await gateway({
    authorizers: [
      { name: "HS256", type: "jwt", secret: "$env.SECRET", algorithm: "HS256", ...rules },
      { name: "public", type: "jwt", jwks, algorithms: ["RS256", "PS256", "ES256", "EdDSA"], ...rules },
    ],
    paths: ["HS256", "public"].map((name) => ({ method: "GET", path: `/${name}`, auth: name, response: {} })),
  }, { bindings: { SECRET } });
});
after(() => gate?.stop());

const authorizerOf = (alg) => (alg === "HS256" ? "HS256" : "public");

async function verdicts(alg, token) {
  const name = authorizerOf(alg);
  const [response, their] = await Promise.all([
    gate.request(`/${name}`, bearer(token)),
    theirs[name](token).then(() => true, () => false),
  ]);
  const code = response.status === 200 ? undefined : (await response.json()).code;
  assert.ok([200, 401].includes(response.status), `${response.status} for ${token}`);
  return { ours: response.status === 200, theirs: their, code };
}

function make(alg, header, payload) {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${Buffer.from(KINDS[alg].sign(Buffer.from(input), KINDS[alg].pair?.privateKey)).toString("base64url")}`;
}

const header = (alg) => ({ alg, kid: alg, typ: "JWT" });
const claims = () => ({ iss: ISSUER, aud: AUDIENCE, sub: "s", iat: now() - 10, nbf: now() - 10, exp: now() + 600 });

/** Values that a field may be given instead of its own. */
const ODD = [undefined, null, true, false, 0, 1, -1, 1.5, 1e308, "", "a", "4000000000", [], ["a"], [1], {}, { a: 1 }, ISSUER, [ISSUER], AUDIENCE, [AUDIENCE, "b"], [[AUDIENCE]], now() - 3600, now() + 3600, now() + 10.5];

/** Where we refuse what jose accepts, and why. */
const STRICTER = [
  ["a header with a member of the wrong type", (_, changed) => changed.in === "header" && ["kid", "typ"].includes(changed.name)],
  ["`iat` ahead: such a token was issued by a clock that cannot be trusted", (code, changed) => changed.name === "iat" && code === "token_not_yet_valid"],
  ["`crit` in any form, since no extension is understood", (_, changed) => changed.name === "crit"],
];

describe("one field changed", () => {
  for (const alg of Object.keys(KINDS)) {
    test(alg, async () => {
      let ran = 0;
      for (const [place, names] of [["payload", ["iss", "aud", "sub", "iat", "nbf", "exp", "other"]], ["header", ["alg", "kid", "typ", "crit", "b64", "jku", "x5c"]]]) {
        for (const name of names) {
          for (const value of ODD) {
            const whole = { header: header(alg), payload: claims() };
            whole[place][name] = value;
            const token = make(alg, whole.header, whole.payload);
            const { ours, theirs: their, code } = await verdicts(alg, token);
            const what = `${place} ${name} = ${JSON.stringify(value)}: ${code}`;
            if (ours) assert.ok(their, `accepted here, refused by jose: ${what}`);
            else if (their) assert.ok(STRICTER.some(([, holds]) => holds(code, { in: place, name })), `refused here, accepted by jose: ${what}`);
            ran += 1;
          }
        }
      }
      assert.equal(ran, 14 * ODD.length);
    });
  }
});

const decoded = (token) => token.split(".").map((piece) => Buffer.from(piece, "base64url").toString("hex")).join();

describe("one byte changed", () => {
  for (const alg of Object.keys(KINDS)) {
    test(alg, async () => {
      const good = make(alg, header(alg), claims());
      assert.deepEqual(await verdicts(alg, good), { ours: true, theirs: true, code: undefined });
      let ran = 0;
      const changes = [(c) => (c === "A" ? "B" : "A"), () => ".", () => "=", () => "", (c) => c + c, () => "\u00e9"];
      for (let at = 0; at < good.length; at += Math.ceil(good.length / 60)) {
        for (const change of changes) {
          const token = good.slice(0, at) + change(good[at]) + good.slice(at + 1);
          if (token === good || /[^\x21-\x7e]/.test(token)) continue;
          const { ours, theirs: their } = await verdicts(alg, token);
          assert.equal(ours, false, `accepted: ${token}`);
          // Other letters for the same bytes (stray bits, padding) are one token too many: jose takes them, RFC 7515 section 2 does not.
          assert.ok(!their || decoded(token) === decoded(good), `jose accepts: ${token}`);
          ran += 1;
        }
      }
      assert.ok(ran >= 200, `${ran}`);
    });
  }
});
