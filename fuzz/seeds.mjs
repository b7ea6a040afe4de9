// What fuzzing starts from: the tests' own fixtures and tokens made of them, each in the form that its target reads, and words that
// mutations would hardly find by themselves. Made anew for each run, so that nothing is committed that could grow old.
import { createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../scripts/lib/run.mjs";

/** Of `src/tokens.rs`. */
const SECRET = "a-secret-of-sixty-four-bytes-which-is-enough-for-all-the-hashes!";
const NOW = 1_700_000_000;

const read = (file) => readFileSync(join(root, file), "utf8");
const list = (folder, end) => readdirSync(join(root, folder)).filter((file) => file.endsWith(end)).map((file) => join(folder, file));
const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

const CLAIMS = { iss: "i", aud: ["a", "c"], sub: "somebody", exp: NOW + 3000, nbf: NOW, iat: NOW - 30, realm: { role: "admin" } };

/** Writes the seeds and the dictionary of `target`, and says where the dictionary is. */
export function plant(target, folder) {
  mkdirSync(folder, { recursive: true });
  const { seeds, words } = makers[target]();
  seeds.forEach((seed, index) => writeFileSync(join(folder, `seed-${index}`), seed));
  const dictionary = `${folder}.dict`;
  writeFileSync(dictionary, [...new Set(words)].map((word) => `"${escape(word)}"\n`).join(""));
  return dictionary;
}

/** As libFuzzer reads a word: what is neither a quote, a backslash nor printable by its number. */
function escape(word) {
  const byte = (code) => (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c ? `\\x${code.toString(16).padStart(2, "0")}` : String.fromCharCode(code));
  return [...Buffer.from(word)].map(byte).join("");
}

const JOSE = ["alg", "kid", "typ", "crit", "iss", "aud", "sub", "exp", "nbf", "iat", "kty", "crv", "use", "key_ops", "keys", "n", "e", "x", "y", "k", "d"];
const VALUES = ["HS256", "HS384", "RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA", "none", "JWT", "at+jwt", "RSA", "EC", "OKP", "oct", "P-256", "P-384", "P-521", "Ed25519", "sig", "verify"];
const quoted = (names) => names.map((name) => JSON.stringify(name));
const members = (names) => quoted(names).map((name) => `${name}:`);

const makers = {
  compact() {
    const tokens = [
      ...["HS256", "HS384", "HS512"].map((alg) => token({ alg }, CLAIMS, (input) => createHmac(`sha${alg.slice(2)}`, SECRET).update(input).digest())),
      ...["RS256", "RS384", "PS256", "PS512"].map((alg) => signed(alg, "rsa")),
      signed("ES256", "p256"),
      signed("ES384", "p384"),
      signed("ES512", "p521"),
      signed("EdDSA", "ed25519"),
    ];
    const [first] = tokens;
    return { seeds: [...tokens, "", "..", `${first}.`, token({ alg: "none" }, {}, () => "")], words: [...JOSE, ...VALUES].map((word) => base64url(word)) };
  },

  jose() {
    const header = { alg: "HS256" };
    const pairs = [
      [header, CLAIMS],
      [{ ...header, typ: "application/at+jwt", kid: "k" }, CLAIMS],
      [{ ...header, typ: "JWT" }, { ...CLAIMS, aud: "b", "realm.role": 1 }],
      [{ ...header, crit: ["exp"] }, { exp: NOW - 31 }],
      [{ alg: "none" }, {}],
      // Each rule at its border.
      ...[{ exp: NOW - 30, iat: NOW - 3000 }, { nbf: NOW + 31 }, { iat: NOW + 31 }, { iat: NOW - 91 }, { exp: NOW + 3571 }, { aud: ["a", 1] }].map((claims) => [
        { ...header, typ: "JWT" },
        { ...CLAIMS, ...claims },
      ]),
      [header, { exp: 1e300, nbf: -1.5, iat: null, deep: [[[[{ a: [{}] }]]]] }],
    ];
    const seeds = pairs.map((pair) => pair.map((part) => JSON.stringify(part)).join("\n"));
    return { seeds: [...seeds, '{"alg":"HS256","alg":"HS256"}\n{"a":1,"\\u0061":1}'], words: [...members(JOSE), ...quoted(VALUES), `${NOW}`, `${NOW + 30}`, `${NOW - 30}`, `${NOW - 90}`] };
  },

  keyset() {
    const keys = list("tests/keys", "-public.pem").flatMap(jwk);
    const certificates = Object.fromEntries(list("tests/keys", "-certificate.pem").map((file, index) => [`${index}`, read(file)]));
    const stored = { version: 1, fetched_at: NOW * 1000, max_age_ms: 60_000, jwks: { keys } };
    const discovery = { issuer: "https://issuer.example", jwks_uri: "https://issuer.example/keys?a=b" };
    const documents = [{ keys }, ...keys.map((key) => ({ keys: [{ ...key, kid: "k", use: "sig", key_ops: ["verify"] }] })), certificates, stored, discovery];
    return {
      seeds: [...documents.map((document) => JSON.stringify(document)), 'public, max-age=300', 'max-age="99999999999999999999", no-cache'],
      words: [...members([...JOSE, ...Object.keys(stored), ...Object.keys(discovery)]), ...quoted(VALUES), "max-age=", "no-store"],
    };
  },

  pem() {
    const files = list("tests/keys", ".pem").map(read);
    return { seeds: [...files, ...files.map(der)], words: ["-----BEGIN ", "-----END ", "-----", ...LABELS] };
  },

  config() {
    const blocks = [...list("docs", ".md"), "README.md"].flatMap((page) => [...read(page).matchAll(/```json\n(.*?)```/gs)].map(([, block]) => block));
    const whole = blocks.map((block) => (block.includes('"paths"') ? block : `{"authorizer":${block},"paths":[]}`));
    // Letters of two bytes in front of a problem: columns count letters.
    const wide = `{ "title": "${"é".repeat(40)}", "unknown": 1, "paths": [] }`;
    const seeds = ["gateway.json", ...list("tests/config", ".json")].map(read).concat(whole, wide);
    const texts = seeds.flatMap((seed) => seed.match(/"[^"\n\\]{1,24}"/g) ?? []);
    return { seeds, words: [...texts, "true", "false", "null", "$env.", "$secret.", "$config.", "$request.", "${request.jwt.", "$$"] };
  },

  mapping() {
    const seeds = [
      "GET\nhttps://gateway.example/made/1/a/b?q=two&part=x&r\nauthorization: Bearer \x01\nx-part: one\nx-sub: me\ncf-connecting-ip: 2001:db8::1",
      "POST\nhttps://gateway.example/made/a%20b?q=%2e%2e&q=3\nauthorization: Bearer \x02\nx-part: a/b é, c\ncontent-length: 12",
      "PUT\nhttps://gateway.example/made/1/?q=1\nauthorization: Bearer \x01\nx-part: ..\ncontent-length: 1001\nx-request-id: 1",
      "GET\nhttps://gateway.example/made/;/x\nauthorization: Bearer \x01\nx-part: %2f\nupgrade: websocket\nx-gone: x",
    ];
    const words = ["/made/", "?q=", "&part=", "x-part: ", "x-sub: ", "x-all: ", "cf-connecting-ip: ", "content-length: ", "..", "%2e", "%2f", "\x01", "\x02", "\t"];
    return { seeds, words };
  },

  path() {
    const words = ["%2e", "%2E", "%2f", "%5c", "%00", "%25", "%3b", "%c0%ae", "..", "..;", ";a=b", "//", "\\", "{.+}", "{id}", "/open", "/private", "é"];
    const paths = ["/open/a/b", "/private/a", "//private/%70", "/%70rivate", "/open/..;/private", "/a;b=c/d", "/caf%c3%a9/é?q=/../", "/"];
    const patterns = ["/a/{id}/{.+}", "/{.+}", "/café/%61/", "/{a}/{b}"];
    return { seeds: paths.map((path, index) => `${path}\n${patterns[index % patterns.length]}`), words };
  },

  url() {
    const seeds = [
      "https://api.example.com:8443/v1//x/?a=b#c", "HTTP://LOCALHOST/%7e", "http://127.0.0.1:8080/", "http://[::1]:99/a", "http://10.1.2.3/keys",
      "https://user:secret@h/", "https://xn--bcher-kva.example/b%c3%bc", "https://h:443?x", "https://*.example.org", "http://a.localhost/..;/",
    ];
    return { seeds, words: ["://", "https://", "http://", "localhost", "127.0.0.1", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "xn--", ":443", "@", "%2e%2e", "\\"] };
  },

  rules() {
    const expressions = [
      "jwt.sub == 'user-1' && size(jwt.groups) == 2", "jwt.groups.contains('admins') || 'ops' in jwt.groups", "jwt.groups.exists(g, g.startsWith('adm'))",
      "jwt.groups.map(g, size(g)).all(n, n < 9)", "jwt.sub.matches('^user-[0-9]{1,3}$')", "has(jwt.deep.role) ? jwt.deep.role == 'x' : false",
      "jwt['sub'].endsWith('1') && !has(jwt.email)", "jwt.level + 1 > 7 && jwt.rate < 2.0", "jwt.level / 0 == 1", "-jwt.large - 9223372036854775807 < 0",
      "request.headers['x-env'] == 'prod' && request.query.page == '2'", "request.method == 'GET' && request.path.startsWith('/admin')",
      "source.ip == '192.0.2.1'", "consumer.id == '1'", "type(jwt.level) == int && int('7') == jwt.level", "jwt.none == null && true", "{'a': [1, 2u]}.a[1] == 2u",
    ];
    const claims = JSON.stringify({ sub: "user-1", groups: ["admins", "ops"], level: 7, rate: 1.5, deep: { role: "x" }, none: null, large: 2 ** 53 });
    const request = "GET\nhttps://gateway.example/admin/7?page=2\nx-env: prod\ncf-connecting-ip: 192.0.2.1";
    const functions = ["size(", "has(", ".contains(", ".startsWith(", ".matches(", ".exists(g, ", ".all(g, ", ".map(g, ", ".filter(g, ", "int(", "uint(", "double(", "string(", "type(", "duration(", "timestamp("];
    const names = ["jwt.", "request.", "source.ip", "consumer.id", "request.headers[", "request.query.", " in ", "&&", "||", "==", " ? ", "null", "-9223372036854775808", "18446744073709551615u"];
    return { seeds: expressions.map((expression) => [expression, claims, request].join("\n")), words: [...functions, ...names] };
  },

  request() {
    // What \x01 to \x04 stand for, says src/requests.rs.
    const seeds = [
      "GET\nhttps://gateway.example/strict/a?b=c\nauthorization: Bearer \x01\nx-user: me\nx-claims: e30",
      "POST\nhttps://gateway.example/places/a/b?token=\x01&q=1\ncookie: a=b; session=\x01; c=d\nx-token: \x01",
      "GET\nhttps://gateway.example/places/a?%74oken=\x02\nconnection: x-token, close\nupgrade: websocket",
      "PUT\nhttps://gateway.example/optional/a?\ncookie: session=\"\x01\", session=\x04\ncf-connecting-ip: 192.0.2.1",
      "PUT\nhttps://gateway.example/permissive/a\nx-token: \x03\norigin: https://a.apps.example",
      "DELETE\nhttps://gateway.example/both/1\nauthorization: Digest a=\"b\", c=\"d\"\nx-token: \x02",
      "OPTIONS\nhttps://gateway.example/strict/a\norigin: https://app.example\naccess-control-request-method: POST",
      "HEAD\nhttps://gateway.example/answer\nauthorization: bearer \x01\norigin: https://evil.example",
      "GET\nhttps://gateway.example/open//%2E%2e/strict\nauthorization: Bearer \x04",
    ];
    const names = ["authorization: ", "Bearer ", "cookie: ", "session=", "x-token: ", "token=", "x-user: ", "x-claims: ", "origin: ", "connection: ", "upgrade: websocket"];
    const routes = ["/strict/", "/places/", "/both/", "/optional/", "/permissive/", "/open/", "/answer", "https://gateway.example"];
    return { seeds, words: [...names, ...routes, "\x01", "\x02", "\x03", "\x04", ",", ";", "OPTIONS", "access-control-request-method: GET"] };
  },
};

function token(header, claims, make) {
  const input = `${base64url(header)}.${base64url(claims)}`;
  return `${input}.${make(input).toString("base64url")}`;
}

/** A token signed with one of the tests' private keys. */
function signed(alg, name) {
  const key = createPrivateKey(read(`tests/keys/${name}.pem`));
  const hash = alg === "EdDSA" ? null : `sha${alg.slice(2)}`;
  const padding = alg.startsWith("PS") ? { padding: 6, saltLength: -1 } : {};
  return token({ alg, kid: name }, CLAIMS, (input) => sign(hash, Buffer.from(input), { key, dsaEncoding: "ieee-p1363", ...padding }));
}

/** The JWK of a public key, in a list; of kinds that have none, an empty one. */
function jwk(file) {
  try {
    return [createPublicKey(read(file)).export({ format: "jwk" })];
  } catch {
    return [];
  }
}

/** The labels of `targets/pem.rs`. */
const LABELS = ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", "PRIVATE KEY", "X509 CRL"];

/** The structure within a PEM, behind the number of its label. */
function der(pem) {
  const [, label] = pem.match(/-----BEGIN (.*?)-----/);
  const body = pem.replace(/-----.*?-----/g, "");
  return Buffer.concat([Buffer.from([Math.max(0, LABELS.indexOf(label))]), Buffer.from(body, "base64")]);
}
