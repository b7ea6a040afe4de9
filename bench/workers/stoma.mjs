// Stoma as its own documentation has it.
import { createGateway, jwtAuth } from "@homegrower-club/stoma";

const { UPSTREAM, SECRET, JWKS_URL, ROUTES } = CONFIGURATION;
const rules = { issuer: "https://issuer.example.com", audience: "api", clockSkewSeconds: 30, forwardClaims: { sub: "x-user-id", email: "x-user-email" } };
const upstream = { type: "url", target: UPSTREAM };
const fixed = { pipeline: { upstream: { type: "handler", handler: () => Response.json({ status: "ok" }) } } };

const gateway = createGateway({
  name: "bench",
  routes: [
    { path: "/static", methods: ["GET"], ...fixed },
    ...Array.from({ length: ROUTES }, (_, number) => ({ path: `/route/${number}`, methods: ["GET"], ...fixed })),
    { path: "/hs/*", methods: ["GET", "POST"], pipeline: { policies: [jwtAuth({ secret: SECRET, ...rules })], upstream } },
    { path: "/rs/*", methods: ["GET", "POST"], pipeline: { policies: [jwtAuth({ jwksUrl: JWKS_URL, ...rules })], upstream } },
  ],
});

export default gateway.app;
