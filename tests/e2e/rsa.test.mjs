// RSA as the Worker computes it, in WebAssembly's vectors, which no native test runs: many numbers of each size, against OpenSSL.
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { AUDIENCE, ISSUER, bearer, gateway, part, root } from "./harness.mjs";

const generated = [2048, 2049, 3072, 4096].map((bits) => [String(bits), generateKeyPairSync("rsa", { modulusLength: bits })]);
// The largest that is taken: a key and a token of it, since such a key takes half a minute to make.
const largest = JSON.parse(readFileSync(join(root, "tests/e2e/rsa-8192.json"), "utf8"));
const keys = [...generated.map(([kid, { publicKey }]) => ({ ...publicKey.export({ format: "jwk" }), kid })), largest.key];
const claims = (sub) => ({ iss: ISSUER, aud: AUDIENCE, sub, exp: 4_000_000_000 });

describe("RSA in the Worker", () => {
  let gate;
  before(async () => {
    const authorizer = { type: "jwt", jwks: { keys }, algorithms: ["RS256"], issuer: ISSUER, audience: AUDIENCE };
    gate = await gateway({ authorizer, paths: [{ method: "GET", path: "/", auth: true, response: {} }] });
  });
  after(() => gate?.stop());

  const status = async (token) => (await gate.request("/", bearer(token))).status;
  /** The same token with a bit of its signature turned over. */
  const turned = (token, bit) => {
    const [header, payload, signature] = token.split(".");
    const bytes = Buffer.from(signature, "base64url");
    bytes[bytes.length - 1 - (bit >> 3)] ^= 1 << (bit & 7);
    return `${header}.${payload}.${bytes.toString("base64url")}`;
  };

  for (const [kid, { privateKey }] of generated) {
    test(`${kid} bits: every good signature is one, and none with a bit turned over`, async () => {
      for (let count = 0; count < 25; count += 1) {
        const input = `${part({ alg: "RS256", kid })}.${part(claims(`user-${count}`))}`;
        const token = `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
        assert.equal(await status(token), 200, token);
        const bit = Math.floor(Math.random() * (Number(kid) - 1));
        assert.equal(await status(turned(token, bit)), 401, `bit ${bit} of ${token}`);
      }
    });
  }

  test("8192 bits: the largest key there may be", async () => {
    const [header, payload, signature] = largest.token.split(".");
    const key = createPublicKey({ key: largest.key, format: "jwk" });
    assert.ok(verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url")), "the file itself");
    assert.equal(await status(largest.token), 200);
    for (const bit of [0, 1, 4095, 8190]) assert.equal(await status(turned(largest.token, bit)), 401);
  });
});
