// The least that a proxy can be: no token is looked at, and no header changed.
const { UPSTREAM } = CONFIGURATION;

export default {
  fetch(request) {
    const { pathname, search } = new URL(request.url);
    return pathname === "/static" ? Response.json({ status: "ok" }) : fetch(UPSTREAM + pathname + search, request);
  },
};
