//! Rust files as tokens, without the code that is only built for tests.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeMap;
use std::path::Path;

/// Files by their path in the project (`src/agent/mod.rs`), with their text.
pub(super) type Sources = BTreeMap<String, String>;

/// The `.rs` files below directories of the project.
pub(super) fn read(dirs: &[&str]) -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Sources::new();
    let mut pending: Vec<_> = dirs.iter().map(|dir| root.join(dir)).collect();
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            // A link in a test's host leads out of the project, for example to /tmp.
            if entry.file_type().unwrap().is_dir() {
                if entry.file_name() != "node_modules" {
                    pending.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                sources.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}

/// One file's tokens that reach a release, and the modules that only tests have.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) tokens: Vec<TokenTree>,
    /// `x` of each `#[cfg(test)] mod x;`.
    pub(super) test_modules: Vec<String>,
}

/// Panics if the text is not Rust.
pub(super) fn parse(name: &str, text: &str) -> Parsed {
    let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut parsed = Parsed::default();
    parsed.tokens = without_tests(stream, &mut parsed.test_modules);
    parsed
}

fn without_tests(stream: TokenStream, test_modules: &mut Vec<String>) -> Vec<TokenTree> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_cfg_test(&tokens[at..]) {
            let (end, module) = end_of_item(&tokens, at + 2);
            test_modules.extend(module);
            at = end;
            continue;
        }
        kept.push(match &tokens[at] {
            TokenTree::Group(group) => {
                let inside = without_tests(group.stream(), test_modules).into_iter().collect();
                proc_macro2::Group::new(group.delimiter(), inside).into()
            }
            token => token.clone(),
        });
        at += 1;
    }
    kept
}

fn is_cfg_test(tokens: &[TokenTree]) -> bool {
    let [TokenTree::Punct(hash), TokenTree::Group(group), ..] = tokens else { return false };
    hash.as_char() == '#' && group.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// Where the item that begins at `at` ends, and its name if it is a module in a file of its own.
fn end_of_item(tokens: &[TokenTree], mut at: usize) -> (usize, Option<String>) {
    let begins_use = |at: usize| matches!(&tokens[at], TokenTree::Ident(word) if word == "use");
    let mut names_module = false;
    let mut in_use = false;
    let mut module = None;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(word) if word == "mod" => names_module = true,
            TokenTree::Ident(word) if names_module => module = Some(word.to_string()),
            TokenTree::Punct(end) if end.as_char() == ';' => return (at + 1, module),
            TokenTree::Punct(end) if end.as_char() == ',' => return (at + 1, None),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !in_use => {
                return (at + 1, None);
            }
            _ => {}
        }
        in_use |= begins_use(at);
        at += 1;
    }
    (at, None)
}
