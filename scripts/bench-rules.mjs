// `npm run bench:rules`: what a rule costs, in CPU time of the workerd process per request (Linux), above the same request without rules.
import { SECRET, gateway, hs } from "../tests/e2e/harness.mjs";
import { medians, onOneProcessor, started } from "./lib/cpu.mjs";

onOneProcessor();

const KINDS = {
  "a text": "jwt.sub != 'nobody'",
  "a list": 'jwt.groups.contains("admins")',
  "path and claim": 'request.path.startsWith("/") && jwt.groups.contains("admins")',
  "header and macro": "!('x-env' in request.headers) && jwt.groups.exists(g, g.startsWith('adm'))",
  "regular expression": "jwt.sub.matches('^user-[0-9]+$')",
};
const TIMES = 10;

const paths = Object.entries(KINDS).map(([, source], kind) => ({
  method: "GET",
  path: `/rules/${kind}`,
  auth: true,
  // Ten of one kind, so that the difference stands out of the noise.
  authorization: { rules: Array.from({ length: TIMES }, () => ({ require: source })) },
  response: {},
}));
const worker = await started(async () => {
  const gate = await gateway(
    {
      authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "a" },
      paths: [{ method: "GET", path: "/none", auth: true, response: {} }, ...paths],
      log: { level: "off" },
    },
    { bindings: { SECRET } },
  );
  return [gate.url, gate.stop];
});
const seen = hs({ aud: "a", sub: "user-1", groups: ["ops", "admins"], exp: 4_000_000_000 });
const none = { worker, path: "/none", token: () => seen };
const cases = Object.keys(KINDS).map((name, kind) => ({ name, worker, path: `/rules/${kind}`, token: () => seen }));
const figures = await medians([none, ...cases]);
console.log(`CPU of workerd per request, in µs: with no rule ${figures.get(none).toFixed(0)}; one rule costs`);
for (const one of cases) console.log(`${one.name.padEnd(24)}${((figures.get(one) - figures.get(none)) / TIMES).toFixed(1).padStart(6)}`);
await worker.stop();
