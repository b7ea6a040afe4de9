//! Requests without a route.

use super::{Cause, cause};
use crate::explain::{Question, path_of};

pub(super) fn not_found(question: Question<'_>) -> Cause {
    let path = path_of(question.head);
    let other_case = path.to_ascii_lowercase();
    let url = question.head.url.replace(path, &other_case);
    let head = crate::request::Head { url: &url, ..*question.head };
    if other_case != path && question.gateway.route(&head).is_ok() {
        return cause(
            format!("no pattern fits {path}; one fits {other_case}"),
            "paths are compared letter for letter: use the case of the configuration",
        );
    }
    cause(
        format!("no pattern fits {path}"),
        "see `portcullis routes`; `{name}` takes one segment, `{.+}` at the end takes the rest",
    )
}
