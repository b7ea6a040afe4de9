//! Rate limits, as the platform counts them.

use portcullis::reject::{Code, Reject};
use worker::Env;

/// Asks the platform about each counter.
///
/// # Errors
/// A binding that is not there is a fault of the configuration, and one that fails lets nobody pass: a limit is never left out.
pub(crate) async fn ask(counters: &[(String, String)], env: &Env) -> Result<Vec<bool>, Reject> {
    let mut answers = Vec::with_capacity(counters.len());
    for (binding, key) in counters {
        let limiter = env
            .rate_limiter(binding)
            .map_err(|error| Reject::config(format!("the rate limit {binding} cannot be used: {error}")))?;
        let outcome = limiter.limit(key.clone()).await.map_err(|error| {
            Reject::new(Code::InternalError).because(format!("the rate limit {binding} cannot be asked: {error}"))
        })?;
        answers.push(outcome.success);
        if !outcome.success {
            break;
        }
    }
    Ok(answers)
}
