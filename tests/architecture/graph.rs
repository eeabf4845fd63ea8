//! Which file uses which: names are resolved through `use` trees, re-exports and paths.

use super::source::{Parsed, Sources, parse};
use proc_macro2::{Delimiter, TokenTree};
use std::collections::{BTreeMap, BTreeSet};

/// A file's uses of other files, each with the paths in the code that are such uses.
pub(super) type Uses = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

pub(super) struct Graph {
    /// Between files of the project. A child's use of its own `mod.rs` is left out.
    pub(super) uses: Uses,
    /// Each file's full paths into other crates: `std::fs::read`.
    pub(super) foreign: BTreeMap<String, BTreeSet<String>>,
    /// The tokens of each file that is not only for tests.
    pub(super) files: BTreeMap<String, Vec<TokenTree>>,
}

/// A crate's name in paths, and where its files are.
const CRATES: [(&str, &str); 5] = [
    ("lobby", "src/lobby/"), // before the one whose folder it lies in
    ("terminal_lobby", "src/"),
    ("launcher", "launcher/src/"),
    ("freshen", "launcher/freshen/src/"),
    ("shared", "launcher/shared/src/"),
];

type Path = Vec<String>;

#[derive(Default)]
struct Module {
    file: String,
    items: BTreeSet<String>,
    /// What `use` brings in: the name here, and the path as written.
    names: BTreeMap<String, Vec<Path>>,
    globs: Vec<Path>,
    paths: BTreeSet<Path>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    File(String),
    Foreign(String),
}

pub(super) fn graph(sources: &Sources) -> Graph {
    let parsed: BTreeMap<&String, Parsed> =
        sources.iter().map(|(name, text)| (name, parse(name, text))).collect();
    let mut only_tests = Vec::new();
    for (name, file) in &parsed {
        for module in &file.test_modules {
            only_tests.push([module_path(name), vec![module.clone()]].concat());
        }
    }
    let mut modules = Modules(BTreeMap::new());
    let mut files = BTreeMap::new();
    for (name, file) in parsed {
        let path = module_path(name);
        if only_tests.iter().any(|test| path.starts_with(test)) {
            continue;
        }
        modules.collect(&path, name, &file.tokens);
        files.insert(name.clone(), file.tokens);
    }
    let mut uses = Uses::new();
    let mut foreign: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, module) in &modules.0 {
        let written =
            module.paths.iter().chain(module.names.values().flatten()).chain(&module.globs);
        for used in written {
            for target in modules.targets(path, used) {
                match target {
                    Target::Foreign(name) => {
                        foreign.entry(module.file.clone()).or_default().insert(name);
                    }
                    Target::File(file)
                        if file == module.file || is_own_parent(&file, &module.file) => {}
                    Target::File(file) => {
                        let uses = uses.entry(module.file.clone()).or_default();
                        uses.entry(file).or_default().insert(used.join("::"));
                    }
                }
            }
        }
    }
    Graph { uses, foreign, files }
}

/// `src/agent/mod.rs` to `terminal_lobby`, `agent`. A program's own file is the root of a crate.
fn module_path(file: &str) -> Path {
    let (name, rest) = CRATES
        .iter()
        .find_map(|(name, dir)| Some((*name, file.strip_prefix(dir)?)))
        .unwrap_or_else(|| panic!("{file}: of no crate that tests/architecture knows"));
    let stem = rest.strip_suffix(".rs").unwrap();
    if stem.starts_with("bin/") || stem == "main" {
        return vec![format!("{name} {stem}")];
    }
    let mut path = vec![name.to_owned()];
    path.extend(stem.split('/').filter(|part| !["mod", "lib"].contains(part)).map(str::to_owned));
    path
}

/// Whether `parent` is the `mod.rs` (`lib.rs`) that declares `child`.
fn is_own_parent(parent: &str, child: &str) -> bool {
    let Some(dir) = parent.strip_suffix("mod.rs").or_else(|| parent.strip_suffix("lib.rs")) else {
        return false;
    };
    let Some(rest) = child.strip_prefix(dir) else { return false };
    let rest = rest.strip_suffix("/mod.rs").unwrap_or(rest);
    !rest.contains('/')
}

struct Modules(BTreeMap<Path, Module>);

impl Modules {
    fn collect(&mut self, path: &Path, file: &str, tokens: &[TokenTree]) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        self.walk(path, &mut module, tokens);
        self.0.insert(path.clone(), module);
    }

    fn walk(&mut self, path: &Path, module: &mut Module, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => {
                    let inside: Vec<_> = group.stream().into_iter().collect();
                    self.walk(path, module, &inside);
                    at += 1;
                }
                TokenTree::Ident(word) if word == "use" && !is_punct(tokens.get(at + 1), '<') => {
                    let length =
                        tokens[at..].iter().take_while(|token| !is_punct(Some(token), ';')).count();
                    use_tree(&Path::new(), &tokens[at + 1..at + length], module);
                    at += length;
                }
                TokenTree::Ident(word) if word == "pub" => {
                    // `pub(in crate::persist)` is no use of it.
                    let group = matches!(tokens.get(at + 1), Some(TokenTree::Group(group))
                        if group.delimiter() == Delimiter::Parenthesis);
                    at += if group { 2 } else { 1 };
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let [TokenTree::Ident(name), TokenTree::Group(inside), ..] =
                        &tokens[at + 1..]
                    {
                        let inside: Vec<_> = inside.stream().into_iter().collect();
                        let path = [path.clone(), vec![name.to_string()]].concat();
                        self.collect(&path, &module.file, &inside);
                        at += 1;
                    }
                    at += 2;
                }
                TokenTree::Ident(_) => at += ident(tokens, at, module),
                _ => at += 1,
            }
        }
    }

    /// The files, or names of other crates, that a path in a module stands for.
    fn targets(&self, module: &Path, path: &[String]) -> BTreeSet<Target> {
        let mut found = BTreeSet::new();
        self.resolve(module, path, 0, &mut found);
        found
    }

    fn resolve(&self, module: &Path, path: &[String], depth: usize, found: &mut BTreeSet<Target>) {
        let mut base = module.clone();
        let mut rest = path;
        while let Some(first) = rest.first() {
            match first.as_str() {
                "crate" => base.truncate(1),
                "self" => {}
                "super" => base.truncate(base.len().max(2) - 1),
                _ => break,
            }
            rest = &rest[1..];
        }
        if rest.len() < path.len() {
            return self.descend(&base, rest, depth, found);
        }
        let Some(first) = path.first() else { return };
        if depth < 16 && self.knows(module, first, depth) {
            return self.descend(module, path, depth + 1, found);
        }
        if path.len() == 1 {
            return; // a local name, or one of the prelude
        }
        let is_crate = CRATES.iter().any(|(name, _)| name == first);
        if is_crate && self.0.contains_key(&path[..1]) {
            return self.descend(&path[..1].to_vec(), &path[1..], depth, found);
        }
        found.insert(Target::Foreign(path.join("::")));
    }

    /// Whether a name means something in a module by its own declarations.
    fn knows(&self, module: &Path, name: &str, depth: usize) -> bool {
        let Some(here) = self.0.get(module) else { return false };
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        self.0.contains_key(&child)
            || here.names.get(name).is_some_and(|paths| paths.iter().any(|path| path[..] != [name]))
            || here.items.contains(name)
            || self.glob_with(module, name, depth).is_some()
    }

    /// The module whose glob import brings a name in.
    fn glob_with(&self, module: &Path, name: &str, depth: usize) -> Option<Path> {
        if depth >= 16 {
            return None;
        }
        let globs = &self.0.get(module)?.globs;
        globs
            .iter()
            .filter_map(|glob| self.module_of(module, glob))
            .find(|from| from != module && self.knows(from, name, depth + 1))
    }

    fn module_of(&self, module: &Path, path: &[String]) -> Option<Path> {
        let base = match path.first()?.as_str() {
            "crate" => vec![module[0].clone()],
            "self" => module.clone(),
            "super" => module[..module.len() - 1].to_vec(),
            _ if CRATES.iter().any(|(name, _)| *name == path[0]) => vec![path[0].clone()],
            _ => [module.as_slice(), &path[..1]].concat(),
        };
        let mut full = base;
        for part in &path[1..] {
            if part == "super" {
                full.pop();
            } else {
                full.push(part.clone());
            }
        }
        self.0.contains_key(&full).then_some(full)
    }

    fn descend(&self, module: &Path, rest: &[String], depth: usize, found: &mut BTreeSet<Target>) {
        let Some(here) = self.0.get(module) else { return };
        let Some(name) = rest.first() else {
            found.insert(Target::File(here.file.clone()));
            return;
        };
        let child = [module.as_slice(), std::slice::from_ref(name)].concat();
        if self.0.contains_key(&child) {
            return self.descend(&child, &rest[1..], depth, found);
        }
        if let Some(paths) = here.names.get(name).filter(|_| depth < 16) {
            for path in paths {
                let whole = [path.as_slice(), &rest[1..]].concat();
                self.resolve(module, &whole, depth + 1, found);
            }
            return;
        }
        if !here.items.contains(name)
            && let Some(from) = self.glob_with(module, name, depth)
        {
            return self.descend(&from, rest, depth + 1, found);
        }
        found.insert(Target::File(here.file.clone()));
    }
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

/// Takes the path, or the item's declaration, that begins with a word; returns its length in tokens.
fn ident(tokens: &[TokenTree], at: usize, module: &mut Module) -> usize {
    const ITEMS: [&str; 9] =
        ["struct", "enum", "fn", "trait", "type", "const", "static", "union", "macro_rules"];
    let TokenTree::Ident(first) = &tokens[at] else { return 1 };
    if ITEMS.iter().any(|item| first == item) {
        if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
            module.items.insert(name.to_string());
        }
        return 1;
    }
    let mut path = vec![first.to_string()];
    let mut next = at + 1;
    while is_separator(tokens, next)
        && let Some(TokenTree::Ident(part)) = tokens.get(next + 2)
    {
        path.push(part.to_string());
        next += 3;
    }
    let is_field = at > 0 && is_punct(tokens.get(at - 1), '.') && path.len() == 1;
    if !is_field {
        module.paths.insert(path);
    }
    next - at
}

/// Takes what a `use` names: `a::{self, b as c, d::*}`.
fn use_tree(prefix: &Path, tokens: &[TokenTree], module: &mut Module) {
    for branch in tokens.split(|token| is_punct(Some(token), ',')) {
        let mut path = prefix.clone();
        let mut name = None;
        let mut tokens = branch.iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    name = tokens.next().map(ToString::to_string);
                }
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(star) if star.as_char() == '*' => {
                    module.globs.push(std::mem::take(&mut path));
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let inside: Vec<_> = group.stream().into_iter().collect();
                    use_tree(&std::mem::take(&mut path), &inside, module);
                }
                _ => {}
            }
        }
        if let Some(last) = path.last() {
            let name = name.unwrap_or_else(|| last.clone());
            module.names.entry(name).or_default().push(path);
        }
    }
}
