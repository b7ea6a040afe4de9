// Makes the keys of this folder, and what is signed with them. README.md says what each is for.
//
//   node tests/keys/make.mjs          makes the files that are not there, and anew what belongs to them
//   node tests/keys/make.mjs --all    makes every file anew
//   node tests/keys/make.mjs FOLDER   does so in another folder, for a look
//
// Needs openssl 3 on the PATH for certificates and for odd forms of a key; all else is node:crypto.
import { spawnSync } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync, generatePrimeSync, sign } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const { values: { all }, positionals: [folder = here] } = parseArgs({ allowPositionals: true, options: { all: { type: "boolean" } } });
const read = (file) => readFileSync(join(folder, file), "utf8");

/** What openssl prints for a key, which it reads from a file alone. */
function openssl(key, command, ...args) {
  const away = mkdtempSync(join(tmpdir(), "portcullis-keys-"));
  try {
    const file = join(away, "key.pem");
    writeFileSync(file, key);
    const { status, stdout, stderr, error } = spawnSync("openssl", [command, ...args, command === "req" ? "-key" : "-in", file], { encoding: "utf8" });
    if (status !== 0) throw error ?? new Error(`openssl ${command} ${args.join(" ")}: ${stderr}`);
    return stdout;
  } finally {
    rmSync(away, { recursive: true });
  }
}

const pem = (key, type) => key.export({ type, format: "pem" });
const pair = (kind, options) => generateKeyPairSync(kind, options);
const publicOf = (file, type = "spki") => pem(createPublicKey(read(file)), type);
const certificate = (key, name) => openssl(key, "req", "-x509", "-new", "-subj", `/CN=${name}.test`, "-days", "3650");

/** An RSA key of two primes of these lengths: key generators make no odd number of bits. */
function rsaOf(first, second) {
  const e = 65537n;
  for (;;) {
    const [p, q] = [first, second].map((bits) => generatePrimeSync(bits, { bigint: true }));
    const phi = (p - 1n) * (q - 1n);
    if (p === q || phi % e === 0n) continue;
    const d = inverse(e, phi);
    const uint = (number) => {
      const hex = number.toString(16);
      return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex").toString("base64url");
    };
    const numbers = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
    const members = Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, uint(number)]));
    return pem(createPrivateKey({ key: { kty: "RSA", ...members }, format: "jwk" }), "pkcs1");
  }
}

/** The number that gives 1 with `number`, modulo `modulus`: Euclid's algorithm. */
function inverse(number, modulus) {
  let [a, b, x, y] = [number, modulus, 1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b, x, y] = [b, a - quotient * b, y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}

const RSA_KEYS = ["rsa", "rsa-2049", "rsa-2050", "rsa-2055", "rsa-3072", "rsa-4096"];
const OTHERS = [["p256", "ES256"], ["p384", "ES384"], ["p521", "ES512"], ["ed25519", "EdDSA"]];
const MESSAGE = Buffer.from("a message that openssl signed");

function signature(file, alg) {
  const key = read(`${file}.pem`);
  if (alg === "EdDSA") return sign(null, MESSAGE, key);
  const options = { PS: { padding: 6, saltLength: -1 }, ES: { dsaEncoding: "ieee-p1363" } }[alg.slice(0, 2)];
  return sign(`sha${alg.slice(2)}`, MESSAGE, { key, ...options });
}

/** One signature of every algorithm by every key that has it. */
function signatures() {
  const rsa = RSA_KEYS.flatMap((key) => ["RS256", "PS256", "RS384", "PS384", "RS512", "PS512"].map((alg) => [key, alg]));
  const rows = [...rsa, ...OTHERS].map(([key, alg]) => `{"key": "${key}", "alg": "${alg}", "signature": "${signature(key, alg).toString("base64url")}"}`);
  return `[\n${rows.join(",\n")}\n]\n`;
}

/** Keys that no issuer should have, each with a token that it signed. */
function weak() {
  const rows = [["512 bits", 512, 65537], ["1024 bits", 1024, 65537], ["the exponent 3", 2048, 3]].map(([name, modulusLength, publicExponent]) => {
    const { privateKey, publicKey } = pair("rsa", { modulusLength, publicExponent });
    const parts = [{ alg: "RS256", kid: name }, { sub: "u", exp: 4_000_000_000 }].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
    const input = parts.join(".");
    return { jwk: { ...publicKey.export({ format: "jwk" }), kid: name }, token: `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}` };
  });
  return `${JSON.stringify(rows, null, 2)}\n`;
}

const rsa = (modulusLength) => () => pem(pair("rsa", { modulusLength }).privateKey, "pkcs1");
const ec = (namedCurve) => () => pem(pair("ec", { namedCurve }).privateKey, "pkcs8");

/** Each file, how it is made, and the files that it is made of. */
const FILES = [
  ["rsa.pem", rsa(2048)],
  ["other.pem", rsa(2048)],
  ["rsa-2049.pem", () => rsaOf(1025, 1024)],
  ["rsa-2050.pem", () => rsaOf(1025, 1025)],
  ["rsa-2055.pem", () => rsaOf(1028, 1027)],
  ["rsa-3072.pem", rsa(3072)],
  ["rsa-4096.pem", rsa(4096)],
  ["rsa-pkcs8.pem", () => pem(createPrivateKey(read("rsa.pem")), "pkcs8"), "rsa.pem"],
  ["rsa-public.pem", () => publicOf("rsa.pem"), "rsa.pem"],
  ["rsa-pkcs1-public.pem", () => publicOf("rsa.pem", "pkcs1"), "rsa.pem"],
  ["rsa-pss-public.pem", () => pem(pair("rsa-pss", { modulusLength: 2048 }).publicKey, "spki")],
  ["rsa-certificate.pem", () => certificate(read("rsa.pem"), "rsa"), "rsa.pem"],
  ["rsa-1024-certificate.pem", () => certificate(rsa(1024)(), "small")],
  ["certificate-request.pem", () => openssl(read("rsa.pem"), "req", "-new", "-subj", "/CN=request.test"), "rsa.pem"],
  ["p256.pem", ec("P-256")],
  ["p384.pem", ec("P-384")],
  ["p521.pem", ec("P-521")],
  ["p256-public.pem", () => publicOf("p256.pem"), "p256.pem"],
  ["p384-public.pem", () => publicOf("p384.pem"), "p384.pem"],
  ["p521-public.pem", () => publicOf("p521.pem"), "p521.pem"],
  ["p256-compressed-public.pem", () => openssl(read("p256.pem"), "ec", "-pubout", "-conv_form", "compressed"), "p256.pem"],
  ["p256-explicit-public.pem", () => openssl(ec("P-256")(), "ec", "-pubout", "-param_enc", "explicit")],
  ["p256-certificate.pem", () => certificate(read("p256.pem"), "p256"), "p256.pem"],
  ["p521-certificate.pem", () => certificate(read("p521.pem"), "p521"), "p521.pem"],
  ["secp256k1-public.pem", () => pem(pair("ec", { namedCurve: "secp256k1" }).publicKey, "spki")],
  ["ed25519.pem", () => pem(pair("ed25519").privateKey, "pkcs8")],
  ["ed25519-public.pem", () => publicOf("ed25519.pem"), "ed25519.pem"],
  ["ed25519-certificate.pem", () => certificate(read("ed25519.pem"), "ed25519"), "ed25519.pem"],
  ["x25519-public.pem", () => pem(pair("x25519").publicKey, "spki")],
  ["openssl-signatures.json", signatures, ...[...RSA_KEYS, ...OTHERS.map(([key]) => key)].map((key) => `${key}.pem`)],
  ["weak.json", weak],
];

mkdirSync(folder, { recursive: true });
const made = [];
for (const [file, make, ...sources] of FILES) {
  if (!all && existsSync(join(folder, file)) && !sources.some((source) => made.includes(source))) continue;
  writeFileSync(join(folder, file), make());
  made.push(file);
}
console.log(made.length === 0 ? "Every file is there already; --all makes them anew." : `Made: ${made.join(", ")}`);

const known = ["README.md", "make.mjs", ...FILES.map(([file]) => file)];
const strangers = readdirSync(folder).filter((file) => !known.includes(file));
if (strangers.length > 0) {
  console.error(`Not of this script: ${strangers.join(", ")}`);
  process.exitCode = 1;
}
