// What the wasm asks of the runtime's objects, in as few crossings as it goes.

/** A header, or `null`. */
export const header = (headers, name) => headers.get(name);

/** An answer of the gateway's own; `lines` are `name:value` headers, of which several may have one name. */
export function respond(status, lines, body) {
  const headers = {};
  for (let from = 0; from < lines.length; ) {
    const colon = lines.indexOf(":", from);
    const next = lines.indexOf("\n", colon);
    const end = next < 0 ? lines.length : next;
    const [name, value] = [lines.slice(from, colon), lines.slice(colon + 1, end)];
    // As a list has it (RFC 9110 section 5.2); the gateway sets no cookies, which are none.
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    from = end + 1;
  }
  try {
    return new Response(body, { status, headers });
  } catch {
    return Response.error();
  }
}
