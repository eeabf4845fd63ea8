//! Text to a roster, or to everything that is wrong with it.

use super::problem::{Place, Problem, meant, quoted};
use super::row::{Layout, Roster, Row, Tier};
use super::rules::{self, Broken};
use super::scalar::{Kind, kind};
use super::yaml::{self, Node, Value};
use std::collections::BTreeMap;
use std::ops::Range;

const FIELDS: [&str; 7] =
    ["authentik_user", "k8s_user", "tier", "namespaces", "code_layout", "repos", "parked"];

/// A roster with the places of its rows.
#[derive(Debug, Default)]
pub struct Document {
    /// What the text says.
    pub roster: Roster,
    pub(super) rows: BTreeMap<String, RowPlace>,
    pub(super) users: Users,
}

/// Where a row stands.
#[derive(Debug)]
pub(super) struct RowPlace {
    /// Of its key.
    pub(super) place: Place,
    /// From its key to the end of its last value.
    pub(super) span: Range<usize>,
}

/// How the table of users is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Users {
    /// There is no key `users`.
    #[default]
    Absent,
    /// The key is there, with nothing or `{}` at these bytes.
    Empty(Range<usize>),
    /// One row below the other.
    Block,
    /// In braces.
    Flow,
}

impl Document {
    /// Where a user's row begins.
    pub fn place(&self, user: &str) -> Option<Place> {
        self.rows.get(user).map(|row| row.place)
    }

    /// Whether the text has a key `users`.
    pub fn has_users(&self) -> bool {
        self.users != Users::Absent
    }
}

/// Reads a roster. All problems are reported at once, in the order of their places.
pub fn parse(bytes: &[u8]) -> Result<Document, Vec<Problem>> {
    let start = Place { line: 1, column: 1 };
    if bytes.len() as u64 > yaml::MAX_SIZE {
        let what = format!("the file is larger than {} bytes", yaml::MAX_SIZE);
        return Err(vec![Problem::new(start, what, "is it a roster?")]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = good.matches('\n').count() + 1;
        let column = good.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        vec![Problem::new(Place { line, column }, "not UTF-8", "save the file as UTF-8")]
    })?;
    let mut problems = Vec::new();
    let document = match yaml::read(text, &mut problems) {
        Ok(Some(root)) => top(&root, &mut problems),
        Ok(None) => Document::default(),
        Err(problem) => {
            problems.push(problem);
            Document::default()
        }
    };
    problems.extend(super::validate::unique(&document));
    problems.sort();
    problems.dedup();
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}

fn top(root: &Node, problems: &mut Vec<Problem>) -> Document {
    let mut document = Document::default();
    if root.is_null() {
        return document;
    }
    let Value::Mapping { entries, .. } = &root.value else {
        let what = format!("expected the table 'users:', found {}", root.kind());
        problems.push(Problem::new(root.place, what, "begin with a line 'users:'"));
        return document;
    };
    for (key, value) in entries {
        let name = word(key);
        if name != "users" {
            let what = format!("unknown field {}", quoted(name));
            problems.push(Problem::new(key.place, what, meant(name, &["users"])));
        } else if value.is_null() {
            document.users = Users::Empty(value.span.clone());
        } else if let Value::Mapping { entries, flow } = &value.value {
            document.users = match (entries.is_empty(), flow) {
                (true, _) => Users::Empty(value.span.clone()),
                (false, true) => Users::Flow,
                (false, false) => Users::Block,
            };
            for (key, value) in entries {
                add_row(&mut document, key, value, problems);
            }
        } else {
            let what = format!("expected a table of users, found {}", value.kind());
            problems.push(Problem::new(value.place, what, "a row is 'name: {...}'"));
        }
    }
    document
}

/// A key's text: the tree holds only words as keys.
fn word(key: &Node) -> &str {
    match &key.value {
        Value::Scalar { text, .. } => text,
        Value::Sequence(_) | Value::Mapping { .. } => "",
    }
}

fn add_row(document: &mut Document, key: &Node, value: &Node, problems: &mut Vec<Problem>) {
    let mut fields = Fields { problems, key, row: value };
    let Some(user) = fields.text(key, "user name") else { return };
    fields.obey(key, rules::user_name(&user));
    let Some(row) = fields.read() else { return };
    let span = key.span.start..value.span.end.max(key.span.end);
    document.rows.entry(user.clone()).or_insert(RowPlace { place: key.place, span });
    document.roster.users.entry(user).or_insert(row);
}

/// The fields of one row.
struct Fields<'a> {
    problems: &'a mut Vec<Problem>,
    key: &'a Node,
    row: &'a Node,
}

impl Fields<'_> {
    fn problem(&mut self, node: &Node, what: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::new(node.place, what, hint));
    }

    fn obey(&mut self, node: &Node, rule: Result<(), Broken>) {
        if let Err((what, hint)) = rule {
            self.problem(node, what, hint);
        }
    }

    fn read(&mut self) -> Option<Row> {
        let (user, row) = (word(self.key), self.row);
        let Value::Mapping { entries, .. } = &row.value else {
            let what = format!("the row of {} is {}", quoted(user), row.kind());
            self.problem(row, what, "a row is {authentik_user: ..., k8s_user: ..., tier: ...}");
            return None;
        };
        for (key, _) in entries.iter().filter(|(key, _)| !FIELDS.contains(&word(key))) {
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
        let namespaces = self.names(field("namespaces"), rules::namespace);
        let repos = self.names(field("repos"), rules::repo);
        let parked = field("parked").is_some_and(|node| self.flag(node));
        let code_layout = layout.unwrap_or(Some(Layout::default()));
        self.agree(tier, &namespaces, field("namespaces"), code_layout, field("repos"), &repos);
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

    /// What must hold between fields.
    fn agree(
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
            // One that is there but broken is reported as that.
            Some(Tier::NamespaceOwner)
                if namespaces_at.is_none_or(|at| namespaces.is_empty() && is_empty_list(at)) =>
            {
                let what = format!("{} is a namespace-owner without namespaces", name(key));
                self.problem(namespaces_at.unwrap_or(key), what, "add namespaces: [NAME]");
            }
            Some(tier @ (Tier::Admin | Tier::PowerUser)) if !namespaces.is_empty() => {
                let what = format!("tier {} has no namespaces", tier.name());
                let hint = "remove them, or make the tier namespace-owner";
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
            self.problem(key, what, format!("add {field}: ..."));
        }
        node
    }

    fn identity(
        &mut self,
        field: &str,
        node: Option<&Node>,
        rule: fn(&str) -> Result<(), Broken>,
    ) -> Option<String> {
        let node = self.required(field, node)?;
        let text = self.text(node, field)?;
        self.obey(node, rule(&text).map_err(|(what, hint)| (format!("{field}: {what}"), hint)));
        Some(text)
    }

    fn text(&mut self, node: &Node, field: &str) -> Option<String> {
        if let Value::Scalar { text, plain } = &node.value {
            if kind(text, *plain) == Kind::Text {
                return Some(text.clone());
            }
            let hint = if text.is_empty() {
                "write the name".to_owned()
            } else {
                format!("in quotes it is text: '{}'", text.escape_debug())
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

    fn names(&mut self, node: Option<&Node>, rule: fn(&str) -> Result<(), Broken>) -> Vec<String> {
        let Some(node) = node else { return Vec::new() };
        let Value::Sequence(items) = &node.value else {
            let what = format!("expected a list, found {}", node.kind());
            self.problem(node, what, "write [a, b], or [] for none");
            return Vec::new();
        };
        let mut names: Vec<String> = Vec::new();
        for item in items {
            let Some(text) = self.text(item, "in the list") else { continue };
            self.obey(item, rule(&text));
            if names.contains(&text) {
                self.problem(item, format!("{} is listed twice", quoted(&text)), "keep one");
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
            format!("expected true or false, found {}", node.kind()),
            "write true or false",
        );
        false
    }
}

fn name(key: &Node) -> String {
    quoted(word(key))
}

fn is_empty_list(node: &Node) -> bool {
    matches!(&node.value, Value::Sequence(items) if items.is_empty())
}
