// The Worker's entry point: hands the configuration to the wasm, and requests too.
import config from "../build/gateway.json";
import module from "../build/portcullis_bg.wasm";
import * as gateway from "../build/portcullis.js";
import { guard } from "./guard.js";

// Read once by the wasm, at its first request. Beside the wasm, not in it: an edit of gateway.json compiles nothing.
globalThis.__portcullis_config = config;
gateway.initSync({ module });

export default guard(gateway);
