// What a good engineer writes by hand: Hono for the routes, jose for the tokens, keys made once, the claims' headers set and never taken from
// the client.
import { Hono } from "hono";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { UPSTREAM, SECRET, JWKS_URL, ROUTES } = CONFIGURATION;
const rules = { issuer: "https://issuer.example.com", audience: "api", clockTolerance: 30 };
const secret = crypto.subtle.importKey("raw", new TextEncoder().encode(SECRET), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
const keySet = createRemoteJWKSet(new URL(JWKS_URL));

const checked = (verify) => async (context, next) => {
  const token = context.req.header("authorization")?.match(/^Bearer (\S+)$/)?.[1];
  if (!token) return context.json({ error: "unauthorized" }, 401, { "www-authenticate": "Bearer" });
  try {
    const { payload } = await verify(token);
    context.set("claims", payload);
  } catch {
    return context.json({ error: "unauthorized" }, 401, { "www-authenticate": 'Bearer error="invalid_token"' });
  }
  await next();
};

const forward = (context) => {
  const request = context.req.raw;
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  const claims = context.get("claims");
  for (const [name, value] of [["x-user-id", claims.sub], ["x-user-email", claims.email]]) {
    if (typeof value === "string") headers.set(name, value);
    else headers.delete(name);
  }
  return fetch(UPSTREAM + pathname + search, { method: request.method, headers, body: request.body, redirect: "manual" });
};

const app = new Hono();
app.get("/static", (context) => context.json({ status: "ok" }));
for (let number = 0; number < ROUTES; number += 1) app.get(`/route/${number}`, (context) => context.json({ status: "ok" }));
app.all("/hs/*", checked(async (token) => jwtVerify(token, await secret, { ...rules, algorithms: ["HS256"] })), forward);
app.all("/rs/*", checked((token) => jwtVerify(token, keySet, { ...rules, algorithms: ["RS256"] })), forward);

export default app;
