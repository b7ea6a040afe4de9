//! Lines for the operator, in JSON. Never a token, a secret or a query string.

use portcullis::forward::Outbound;
use portcullis::reject::Reject;
use serde_json::json;

/// Something of the gateway's own is wrong.
pub(crate) fn error(message: &str) {
    worker::console_error!("{}", json!({ "level": "error", "message": message }));
}

/// Something should be looked at.
pub(crate) fn warn(message: &str) {
    worker::console_warn!("{}", json!({ "level": "warn", "message": message }));
}

/// A request was refused for a reason that the client is not told in full.
pub(crate) fn refusal(reject: &Reject, request_id: &str) {
    if let Some(internal) = reject.internal() {
        let line = json!({ "level": "error", "requestId": request_id, "status": reject.code().status(), "code": reject.code().code(), "message": internal });
        worker::console_error!("{line}");
    }
}

/// Claims that did not become headers.
pub(crate) fn left_out(outbound: &Outbound) {
    if !outbound.left_out.is_empty() {
        let line = json!({ "level": "warn", "message": "claims with control characters were left out", "headers": outbound.left_out });
        worker::console_warn!("{line}");
    }
}
