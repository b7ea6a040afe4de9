// A Worker that does nothing at all: what the runtime itself costs.
export default { fetch: () => Response.json({}) };
