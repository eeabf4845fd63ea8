//! Draws what users do with their windows and panes.

use super::draw::{often, one_of};
use crate::support::random::Random;
use crate::support::set_up::SetUp;

/// Changes names, options, layouts and places in the first session.
pub(super) fn change(random: &mut Random, set_up: &SetUp, may_link: bool) {
    let layouts = ["tiled", "even-horizontal", "even-vertical", "main-vertical", "main-horizontal"];
    if often(random, 30) {
        set_up.t(&format!("select-layout -t =s0: {}", one_of(random, &layouts)));
    }
    let of_first = |format: &str| {
        let run = set_up.t(&format!("list-panes -s -t =s0 -F {format}"));
        run.out().lines().map(str::to_owned).collect::<Vec<String>>()
    };
    let panes = of_first("#{pane_id}");
    let any = |random: &mut Random| panes[random.below(panes.len())].clone();
    if often(random, 15) {
        let (one, other) = (any(random), any(random));
        if one != other {
            set_up.t(&format!("swap-pane -d -s {one} -t {other}"));
        }
    }
    if often(random, 10) && of_first("#{window_panes}")[0] != "1" {
        let first = of_first("#{pane_id}").swap_remove(0);
        set_up.t(&format!("break-pane -d -s {first} -t =s0:"));
    }
    let names = set_up.t("list-sessions -F #{session_name}").out();
    let is_grouped = names.lines().any(|name| name == "group");
    if often(random, 15) && !is_grouped {
        set_up.t(&format!("move-window -s {} -t =s0:20", any(random)));
    }
    if often(random, 20) {
        set_up.t(&format!("rename-window -t {} work", any(random)));
    }
    if often(random, 20) {
        let scope = one_of(random, &["", "-w ", "-p "]);
        set_up.t(&format!("set-option {scope}-t {} @site value", any(random)));
    }
    if often(random, 20) {
        let pane = any(random);
        set_up.t(&format!("select-window -t {pane}"));
        set_up.t(&format!("select-pane -t {pane}"));
    }
    if often(random, 15) {
        set_up.t(&format!("resize-pane -Z -t {}", any(random)));
    }
    if may_link && often(random, 15) && !is_grouped && names.lines().any(|name| name == "s1") {
        set_up.t(&format!("link-window -d -s {} -t =s1:30", any(random)));
    }
}
