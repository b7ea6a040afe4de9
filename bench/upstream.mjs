// The upstream of all Workers, in a process of its own: a small answer, one of `?bytes=` bytes, and the key set.
import { createServer } from "node:http";

const jwks = process.env.JWKS;
const small = Buffer.from('{"status":"ok"}');
const bytes = Buffer.alloc(1024 * 1024, "x");

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  request.on("end", () => {
    const wanted = request.url.match(/[?&]bytes=(\d+)/);
    const body = request.url === "/jwks.json" ? Buffer.from(jwks) : wanted ? bytes.subarray(0, Number(wanted[1])) : small;
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
  });
});
server.listen(0, "127.0.0.1", () => process.send(server.address().port));
