//! Times as a person reads them (pure).

use std::time::Duration;

/// A time span in one unit: `3 min ago`.
pub fn ago(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{number} {unit} ago")
}

/// Reads a time span: a number and a unit (`s`, `m`, `h`, `d`, `w`), as `72h`.
///
/// # Errors
/// A sentence that says what was expected.
pub fn span(text: &str) -> Result<Duration, InvalidSpan> {
    let unit = text.bytes().last().unwrap_or(0);
    let seconds: u64 = match unit {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        b'w' => 604_800,
        _ => return Err(InvalidSpan),
    };
    let number = &text[..text.len() - 1];
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| is_number).ok_or(InvalidSpan)?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or(InvalidSpan)
}

/// A text is no time span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number and a unit: 30m, 12h, 2d")]
pub struct InvalidSpan;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_is_a_number_and_a_unit() {
        let read = ["90s", "30m", "72h", "2d", "1w"].map(|text| span(text).unwrap().as_secs());
        assert_eq!(read, [90, 1_800, 259_200, 172_800, 604_800]);
        for text in ["", "h", "5", "-1h", "+1h", "1 h", "1.5h", "99999999999999999999h", "1ä"] {
            assert_eq!(span(text), Err(InvalidSpan), "{text}");
        }
        assert!(span("18446744073709551615d").is_err());
    }

    #[test]
    fn a_time_span_has_one_unit() {
        let shown = [0, 119, 120, 7_199, 7_200, 172_800, u64::MAX].map(ago);
        let expected =
            ["0 s", "119 s", "2 min", "119 min", "2 h", "2 days", "213503982334601 days"];
        assert_eq!(shown, expected.map(|span| format!("{span} ago")));
    }
}
