//! Whole numbers, in every way that JSON writes them.

/// Why a number is not one that a configuration can count with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWhole {
    /// It has a fraction, or is below zero.
    Other,
    /// It is whole, but does not fit into 64 bits.
    TooLarge,
}

/// The whole number that `text`, a number of JSON, stands for. `30.0` and `3e1` are 30, as JSON Schema has it (2020-12, section 4.2.3). The
/// digits are read, not a floating-point number made of them, which would round.
///
/// # Errors
/// What keeps it from being one.
pub fn whole(text: &str) -> Result<u64, NotWhole> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{after}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotWhole::Other);
    }
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    if negative {
        return Err(NotWhole::Other);
    }
    // An exponent that no integer holds is far off in its own direction.
    let far = if exponent.starts_with('-') { i128::from(i64::MIN) } else { i128::from(i64::MAX) };
    let exponent = exponent.parse::<i64>().map_or(far, i128::from);
    let length = |text: &str| i128::try_from(text.len()).unwrap_or_default();
    let zeros = exponent + length(&digits) - length(significant) - length(after);
    if zeros < 0 {
        return Err(NotWhole::Other);
    }
    let scale = u32::try_from(zeros).ok().and_then(|zeros| 10_u64.checked_pow(zeros));
    let number = significant.parse::<u64>().ok();
    number.zip(scale).and_then(|(number, scale)| number.checked_mul(scale)).ok_or(NotWhole::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::NotWhole::{Other, TooLarge};
    use super::*;

    #[test]
    fn a_number_counts_by_its_value_not_by_its_spelling() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("-0", Ok(0)),
            ("-0.0", Ok(0)),
            ("0e999999999999999999999", Ok(0)),
            ("30", Ok(30)),
            ("30.0", Ok(30)),
            ("30.000", Ok(30)),
            ("1e3", Ok(1000)),
            ("1E+3", Ok(1000)),
            ("1.5e1", Ok(15)),
            ("0.015e3", Ok(15)),
            ("1500e-2", Ok(15)),
            ("9007199254740993.0", Ok(9_007_199_254_740_993)),
            ("18446744073709551615.0", Ok(u64::MAX)),
            ("18446744073709551616", Err(TooLarge)),
            ("1e20", Err(TooLarge)),
            ("1e999", Err(TooLarge)),
            ("1e99999999999999999999", Err(TooLarge)),
            ("1e-99999999999999999999", Err(Other)),
            ("1.5", Err(Other)),
            ("15e-1", Err(Other)),
            ("0.1e0", Err(Other)),
            ("-1", Err(Other)),
            ("-1e999", Err(Other)),
            ("", Err(Other)),
            ("\"30\"", Err(Other)),
            ("null", Err(Other)),
        ] {
            assert_eq!(whole(text), expected, "{text}");
        }
    }
}
