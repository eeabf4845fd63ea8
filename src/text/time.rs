//! Times as a person reads them (pure).

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_has_one_unit() {
        let shown = [0, 119, 120, 7_199, 7_200, 172_800, u64::MAX].map(ago);
        let expected =
            ["0 s", "119 s", "2 min", "119 min", "2 h", "2 days", "213503982334601 days"];
        assert_eq!(shown, expected.map(|span| format!("{span} ago")));
    }
}
