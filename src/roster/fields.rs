//! Parses the fields of a row: each by itself, then the rules between them (pure).

use super::row::{Layout, Row, Tier};
use super::rules::{self, RuleViolation};
use crate::yaml::problem::{MOST, Problem, meant, quoted};
use crate::yaml::scalar::{Kind, kind};
use crate::yaml::tree::{Node, Value};
use std::collections::HashSet;

const FIELDS: [&str; 7] =
    ["authentik_user", "k8s_user", "tier", "namespaces", "code_layout", "repos", "parked"];

/// Whether the roster has a field of this name.
pub fn is_field(name: &str) -> bool {
    name == "users" || FIELDS.contains(&name)
}

/// The fields of one row.
pub(super) struct Fields<'a> {
    pub(super) problems: &'a mut Vec<Problem>,
    pub(super) warnings: &'a mut Vec<Problem>,
    /// Names of fields that are passed over.
    pub(super) ignored: &'a [String],
    pub(super) key: &'a Node,
    pub(super) row: &'a Node,
}

impl Fields<'_> {
    /// A problem of this row; the message names its user.
    fn problem(&mut self, node: &Node, what: impl Into<String>, hint: impl Into<String>) {
        let what = format!("row {}: {}", name(self.key), what.into());
        self.named_problem(node, what, hint);
    }

    /// A problem whose message names the user by itself.
    fn named_problem(&mut self, node: &Node, what: impl Into<String>, hint: impl Into<String>) {
        if self.problems.len() < 2 * MOST {
            self.problems.push(Problem::new(node.place, what, hint));
        }
    }

    pub(super) fn check_user_name(&mut self, user: &str) {
        if let Err(RuleViolation { what, hint }) = rules::user_name(user) {
            let key = self.key;
            self.named_problem(key, what, hint);
        }
    }

    fn check(&mut self, node: &Node, rule: Result<(), RuleViolation>) {
        if let Err(RuleViolation { what, hint }) = rule {
            self.problem(node, what, hint);
        }
    }

    pub(super) fn read(&mut self) -> Option<Row> {
        let (user, row) = (word(self.key), self.row);
        let Value::Mapping { entries, .. } = &row.value else {
            let what = format!("the row of {} is {}, not a table", quoted(user), row.kind());
            self.named_problem(
                row,
                what,
                "a row is {authentik_user: ..., k8s_user: ..., tier: ...}",
            );
            return None;
        };
        let unknown = entries.iter().filter(|(key, _)| !FIELDS.contains(&word(key)));
        for (key, _) in unknown.take(MOST) {
            if self.ignored.iter().any(|field| field == word(key)) {
                let what =
                    format!("row {}: field {} is passed over", quoted(user), quoted(word(key)));
                self.warnings.push(Problem::new(key.place, what, ""));
                continue;
            }
            let what = format!("unknown field {}", quoted(word(key)));
            self.problem(key, what, meant(word(key), &FIELDS));
        }
        let field =
            |name: &str| entries.iter().find(|(key, _)| word(key) == name).map(|(_, value)| value);
        let authentik_user =
            self.identity("authentik_user", field("authentik_user"), rules::authentik_user);
        let k8s_user = self.identity("k8s_user", field("k8s_user"), rules::k8s_user);
        let tier = self.required("tier", field("tier"));
        let tier = tier.and_then(|node| self.choice(node, "tier", &Tier::NAMES, Tier::of_name));
        let layout = field("code_layout")
            .map(|node| self.choice(node, "code_layout", &Layout::NAMES, Layout::of_name));
        let namespaces = self.names("namespaces", field("namespaces"), rules::namespace);
        let repos = self.names("repos", field("repos"), rules::repo);
        let parked = field("parked").is_some_and(|node| self.flag(node));
        let code_layout = layout.unwrap_or(Some(Layout::default()));
        self.check_consistency(
            tier,
            &namespaces,
            field("namespaces"),
            code_layout,
            field("repos"),
            &repos,
        );
        Some(Row {
            authentik_user: authentik_user?,
            k8s_user: k8s_user?,
            tier: tier?,
            namespaces,
            code_layout: code_layout?,
            repos,
            parked,
        })
    }

    /// Checks the rules between fields.
    fn check_consistency(
        &mut self,
        tier: Option<Tier>,
        namespaces: &[String],
        namespaces_at: Option<&Node>,
        layout: Option<Layout>,
        repos_at: Option<&Node>,
        repos: &[String],
    ) {
        let key = self.key;
        match tier {
            // An invalid list is reported by itself.
            Some(Tier::NamespaceOwner)
                if namespaces_at.is_none_or(|at| namespaces.is_empty() && is_empty_list(at)) =>
            {
                let what = format!("{} is a namespace-owner without namespaces", name(key));
                self.named_problem(namespaces_at.unwrap_or(key), what, "add namespaces: [NAME]");
            }
            Some(tier @ (Tier::Admin | Tier::PowerUser)) if !namespaces.is_empty() => {
                let what = format!("namespaces: a user of tier {} cannot own any", tier.name());
                let hint = "remove them, or use tier namespace-owner";
                self.problem(namespaces_at.unwrap_or(key), what, hint);
            }
            _ => {}
        }
        if layout == Some(Layout::Single) && !repos.is_empty() {
            let hint = "add code_layout: workspace";
            self.problem(repos_at.unwrap_or(key), "repos need code_layout: workspace", hint);
        }
    }

    fn required<'n>(&mut self, field: &str, node: Option<&'n Node>) -> Option<&'n Node> {
        if node.is_none() {
            let (key, what) = (self.key, format!("{} has no {field}", name(self.key)));
            self.named_problem(key, what, format!("add {field}: ..."));
        }
        node
    }

    fn identity(
        &mut self,
        field: &str,
        node: Option<&Node>,
        rule: fn(&str) -> Result<(), RuleViolation>,
    ) -> Option<String> {
        let node = self.required(field, node)?;
        let text = self.text(node, field)?;
        self.check(node, in_field(field, rule(&text)));
        Some(text)
    }

    pub(super) fn text(&mut self, node: &Node, field: &str) -> Option<String> {
        if let Value::Scalar { text, plain } = &node.value {
            if kind(text, *plain) == Kind::Text {
                return Some(text.clone());
            }
            let hint = if text.is_empty() {
                "write the name".to_owned()
            } else {
                format!("write it in quotes: '{}'", text.escape_debug())
            };
            self.problem(node, format!("{field}: expected text, found {}", node.kind()), hint);
        } else {
            let what = format!("{field}: expected text, found {}", node.kind());
            self.problem(node, what, "write one name");
        }
        None
    }

    fn choice<T>(
        &mut self,
        node: &Node,
        field: &str,
        known: &[&str],
        read: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(node, field)?;
        let value = read(&text);
        if value.is_none() {
            self.problem(node, format!("unknown {field} {}", quoted(&text)), meant(&text, known));
        }
        value
    }

    fn names(
        &mut self,
        field: &str,
        node: Option<&Node>,
        rule: fn(&str) -> Result<(), RuleViolation>,
    ) -> Vec<String> {
        let Some(node) = node else { return Vec::new() };
        let Value::Sequence(items) = &node.value else {
            let what = format!("{field}: expected a list, found {}", node.kind());
            self.problem(node, what, "write [a, b], or [] for none");
            return Vec::new();
        };
        let (mut names, mut seen) = (Vec::new(), HashSet::new());
        for item in items {
            let Some(text) = self.text(item, field) else { continue };
            self.check(item, in_field(field, rule(&text)));
            if !seen.insert(text.clone()) {
                self.problem(
                    item,
                    format!("{field}: {} is listed twice", quoted(&text)),
                    "keep one",
                );
            }
            names.push(text);
        }
        names
    }

    fn flag(&mut self, node: &Node) -> bool {
        if let Value::Scalar { text, plain } = &node.value
            && let Kind::Bool(flag) = kind(text, *plain)
        {
            return flag;
        }
        self.problem(
            node,
            format!("parked: expected true or false, found {}", node.kind()),
            "write true or false",
        );
        false
    }
}

fn in_field(field: &str, rule: Result<(), RuleViolation>) -> Result<(), RuleViolation> {
    rule.map_err(|RuleViolation { what, hint }| RuleViolation {
        what: format!("{field}: {what}"),
        hint,
    })
}

fn name(key: &Node) -> String {
    quoted(word(key))
}

fn is_empty_list(node: &Node) -> bool {
    matches!(&node.value, Value::Sequence(items) if items.is_empty())
}

/// The text of a key: all keys are words.
pub(super) fn word(key: &Node) -> &str {
    match &key.value {
        Value::Scalar { text, .. } => text,
        Value::Sequence(_) | Value::Mapping { .. } => "",
    }
}
