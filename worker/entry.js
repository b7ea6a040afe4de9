// The Worker's entry point. The wasm has the configuration in it.
import module from "../build/portcullis_bg.wasm";
import * as gateway from "../build/portcullis.js";
import { guard } from "./guard.js";

gateway.initSync({ module });

export default guard(gateway);
