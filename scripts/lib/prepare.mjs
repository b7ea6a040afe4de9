// Puts a compiled configuration into the wasm: an instance of it compiles gateway.json here, and what its memory holds then is what every
// instance starts with. A Worker's start costs next to nothing so, however many routes there are.
//
// Only the memory (section 5) and its data (sections 11 and 12) of the module are written anew; WebAssembly core specification, section 5.5.
import { setFlagsFromString } from "node:v8";

// The V8 of Node 20 has relaxed vectors, and asks to be told so.
if (Number.parseInt(process.versions.node) < 21) setFlagsFromString("--experimental-wasm-relaxed-simd");

const [MEMORY, DATA, DATA_COUNT] = [5, 11, 12];

/** Shorter runs of zeros are part of the data: a segment of its own costs as much. */
const GAP = 64;

/** V8 takes 100 000 segments. */
const MAX_SEGMENTS = 50_000;

/** The module `wasm` with the configuration `text` in it. Takes what `portcullis check --output` wrote. */
export function prepared(wasm, text) {
  const memory = new Uint8Array(compiled(wasm, text));
  let gap = GAP;
  let segments = runs(memory, gap);
  while (segments.length > MAX_SEGMENTS) segments = runs(memory, (gap *= 2));
  const data = [uleb(segments.length), ...segments.flatMap(([start, end]) => [[0, 0x41, ...sleb(start), 0x0b], uleb(end - start), memory.subarray(start, end)])];
  const parts = [wasm.subarray(0, 8)];
  for (const { id, body, whole } of sections(wasm)) {
    if (id === MEMORY) parts.push(section(MEMORY, [withPages(body, memory.length / 65536)]));
    else if (id === DATA_COUNT) parts.push(section(DATA_COUNT, [uleb(segments.length)]));
    else if (id === DATA) parts.push(section(DATA, data));
    else parts.push(whole);
  }
  return Buffer.concat(parts);
}

/** What the memory of an instance holds once it has compiled the configuration. */
function compiled(wasm, text) {
  const module = new WebAssembly.Module(wasm);
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function") throw new Error(`the wasm imports the ${kind} ${name}`);
    // Nothing that depends on where it runs may happen here: it would be the same in every instance.
    (imports[from] ??= {})[name] = () => { throw new Error(`${name} was called while the configuration was compiled`); };
  }
  const { memory, prepare, __wbindgen_malloc } = new WebAssembly.Instance(module, imports).exports;
  const bytes = new TextEncoder().encode(text);
  const place = __wbindgen_malloc(bytes.length, 1) >>> 0;
  new Uint8Array(memory.buffer).set(bytes, place);
  prepare(place, bytes.length);
  return memory.buffer;
}

/** Where the memory is not zero: start and end of each run, which zeros up to `gap` do not end. */
function runs(memory, gap) {
  const words = new Uint32Array(memory.buffer);
  const found = [];
  let [start, end] = [0, 0];
  for (let index = 0; index < words.length; index += 1) {
    if (words[index] === 0) continue;
    if (index * 4 - end > gap) {
      if (end > start) found.push([start, end]);
      start = index * 4;
    }
    end = index * 4 + 4;
  }
  return [...found, [start, end]];
}

function* sections(wasm) {
  for (let at = 8; at < wasm.length; ) {
    const [size, length] = readUleb(wasm, at + 1);
    const from = at + 1 + length;
    yield { id: wasm[at], body: wasm.subarray(from, from + size), whole: wasm.subarray(at, from + size) };
    at = from + size;
  }
}

/** A memory section with one memory, of at least so many pages. */
function withPages(body, pages) {
  const [count] = readUleb(body, 0);
  // The flag says whether a maximum follows: none does in what rustc makes.
  if (count !== 1 || body[1] !== 0) throw new Error("the wasm has another memory than was expected");
  return [...uleb(1), 0, ...uleb(pages)];
}

function section(id, parts) {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([id, ...uleb(body.length)]), body]);
}

/** LEB128, unsigned. */
function uleb(value) {
  const bytes = [];
  do {
    const more = value > 0x7f;
    bytes.push((value & 0x7f) | (more ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return bytes;
}

/** LEB128, signed. */
function sleb(value) {
  const bytes = [];
  for (;;) {
    const byte = value & 0x7f;
    value >>= 7;
    if ((value === 0 && !(byte & 0x40)) || (value === -1 && byte & 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

function readUleb(bytes, at) {
  let value = 0;
  for (let length = 0; ; length += 1) {
    const byte = bytes[at + length];
    value |= (byte & 0x7f) << (7 * length);
    if (!(byte & 0x80)) return [value >>> 0, length + 1];
  }
}
