//! The metrics that the alerting rules name are printed.

use super::lab::{ANN, T3Lab};
use crate::documents::alerts::{lacking, wanted_metrics};

#[test]
fn each_metric_that_a_rule_names_is_printed_before_anything_happened() {
    let Some(lab) = T3Lab::new("") else { return };
    let wanted = wanted_metrics("lobby_");
    assert!(wanted.len() >= 5, "{wanted:?}");
    // OpenMetrics names a counter without what its sample ends with.
    let printed: String = lab
        .metrics()
        .lines()
        .map(|line| match line.strip_suffix(" counter") {
            Some(name) => format!("{name}_total counter\n"),
            None => format!("{line}\n"),
        })
        .collect();
    assert_eq!(lacking(&wanted, &printed), [""; 0], "{printed}");
    lab.session(ANN);
    assert!(lab.metrics().contains("lobby_t3_pairings_total{outcome=\"paired\"} 1\n"));
}
