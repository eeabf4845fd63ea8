//! What the architecture demands, each as a function from sources to the places that break it.

use super::circles::circles;
use super::graph::{Graph, Uses};
use super::source::Sources;
use proc_macro2::TokenTree;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The parts of a folder, each with the other parts that it may use.
pub(super) struct Floor {
    pub(super) dir: &'static str,
    pub(super) parts: &'static [(&'static str, &'static [&'static str])],
}

/// Uses of a part that may not be used, and parts that the floor does not know.
pub(super) fn arrows_up(uses: &Uses, files: &BTreeSet<&str>, floor: &Floor) -> Vec<String> {
    let mut faults = BTreeSet::new();
    for file in files {
        if let Some(part) = part(file, floor.dir).filter(|part| may_use(floor, part).is_none()) {
            faults.insert(format!(
                "{file}: tests/architecture knows no part {part:?} of {}",
                floor.dir
            ));
        }
    }
    for (file, used) in uses {
        let Some(from) = part(file, floor.dir) else { continue };
        let Some(allowed) = may_use(floor, from) else { continue };
        for (other, paths) in used {
            let Some(to) = part(other, floor.dir) else { continue };
            if to != from && !allowed.contains(&to) {
                faults.insert(format!(
                    "{file} uses {other} ({}): {from} may not use {to}",
                    first(paths)
                ));
            }
        }
    }
    faults.into_iter().collect()
}

fn may_use(floor: &Floor, part: &str) -> Option<&'static [&'static str]> {
    floor.parts.iter().find(|(name, _)| *name == part).map(|(_, allowed)| *allowed)
}

/// The part of a folder that a file belongs to: a folder in it or a file of its own. The folder's
/// `mod.rs` or `lib.rs` is none: it only declares the parts.
fn part<'a>(file: &'a str, dir: &str) -> Option<&'a str> {
    if dir == "src" && file.starts_with("launcher/") {
        return match file.split('/').nth(1) {
            Some("shared") => None, // below everything: Cargo.toml keeps it from using anything
            Some("freshen") => Some("freshen"),
            _ => Some("launcher"),
        };
    }
    let rest = file.strip_prefix(dir)?.strip_prefix('/')?;
    let first = rest.split('/').next()?;
    match first.strip_suffix(".rs") {
        Some("mod" | "lib") => None,
        Some(stem) => Some(stem),
        None => Some(first),
    }
}

fn first(paths: &BTreeSet<String>) -> &str {
    paths.first().map_or("", String::as_str)
}

/// Circles of files, each with the uses that close it.
pub(super) fn circles_of_files(uses: &Uses) -> Vec<String> {
    circles(uses)
        .into_iter()
        .map(|circle| {
            let mut text = format!("a circle of {} files:", circle.len());
            for file in &circle {
                for (other, paths) in
                    uses[*file].iter().filter(|(other, _)| circle.contains(&other.as_str()))
                {
                    let _ = write!(text, "\n    {file} -> {other} ({})", first(paths));
                }
            }
            text
        })
        .collect()
}

/// Whether a file says that it has no effects: by its own first line, or by that of a folder's `mod.rs`.
pub(super) fn is_pure(sources: &Sources, file: &str) -> bool {
    let says = |file: &str| {
        sources
            .get(file)
            .and_then(|text| text.lines().next())
            .is_some_and(|line| line.starts_with("//!") && line.contains("(pure"))
    };
    let folders = file.match_indices('/').map(|(at, _)| &file[..at]);
    says(file) || folders.into_iter().any(|folder| says(&format!("{folder}/mod.rs")))
}

/// Names from other crates, and from `sys`, that have effects or read what is not an argument.
const EFFECTS: [&str; 16] = [
    "std::fs",
    "std::process",
    "std::env",
    "std::net",
    "std::thread",
    "std::os::unix::net",
    "std::os::unix::fs",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::time::SystemTime",
    "std::time::Instant::now",
    "chrono::Utc::now",
    "rustix",
    "nix",
    "ureq",
];

const MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

/// Effects in files that say they have none.
pub(super) fn effects_in_pure_files(sources: &Sources, graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    for (file, tokens) in graph.files.iter().filter(|(file, _)| is_pure(sources, file)) {
        for name in graph.foreign.get(file).into_iter().flatten() {
            let is = |effect: &&str| name == *effect || name.starts_with(&format!("{effect}::"));
            if EFFECTS.iter().any(is) {
                faults.push(format!("{file}: {name} in a pure file"));
            }
        }
        for (other, paths) in graph.uses.get(file).into_iter().flatten() {
            if other.starts_with("src/sys/") && !is_pure(sources, other) {
                let called = paths.iter().filter(|path| !is_value(path, other));
                faults.extend(called.map(|path| format!("{file}: {path} in a pure file")));
            }
        }
        each_macro(tokens, &mut |name| {
            if MACROS.contains(&name) {
                faults.push(format!("{file}: {name}! in a pure file"));
            }
        });
    }
    faults
}

/// Whether a path names a type of `sys` (a time, an account, an error), its module, or a conversion.
fn is_value(path: &str, file: &str) -> bool {
    let last = path.rsplit("::").next().unwrap_or(path);
    let is_module =
        file.ends_with(&format!("/{last}.rs")) || file.ends_with(&format!("/{last}/mod.rs"));
    let converts = ["try_from", "from"].contains(&last) || path.ends_with("clock::stamp");
    is_module || converts || last.starts_with(char::is_uppercase)
}

fn each_macro(tokens: &[TokenTree], see: &mut dyn FnMut(&str)) {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                each_macro(&group.stream().into_iter().collect::<Vec<_>>(), see);
            }
            TokenTree::Ident(name) => {
                let called = matches!(tokens.get(at + 1), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
                let equals = matches!(tokens.get(at + 2), Some(TokenTree::Punct(mark)) if mark.as_char() == '=');
                if called && !equals {
                    see(&name.to_string());
                }
            }
            _ => {}
        }
    }
}

/// The lines with `unsafe` code.
pub(super) fn unsafe_lines(graph: &Graph, allowed: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (file, tokens) in graph.files.iter().filter(|(file, _)| !allowed(file)) {
        each_ident(tokens, &mut |name, line| {
            if name == "unsafe" {
                faults.push(format!("{file}:{line}: unsafe code"));
            }
        });
    }
    faults
}

fn each_ident(tokens: &[TokenTree], see: &mut dyn FnMut(&str, usize)) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                each_ident(&group.stream().into_iter().collect::<Vec<_>>(), see);
            }
            TokenTree::Ident(name) => see(&name.to_string(), name.span().start().line),
            _ => {}
        }
    }
}

/// Where a `Result<_, String>` stands: file and line.
pub(super) fn string_errors(graph: &Graph) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (file, tokens) in &graph.files {
        string_errors_in(file, tokens, &mut found);
    }
    found
}

fn string_errors_in(file: &str, tokens: &[TokenTree], found: &mut Vec<(String, usize)>) {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                string_errors_in(file, &group.stream().into_iter().collect::<Vec<_>>(), found);
            }
            TokenTree::Ident(name)
                if name == "Result" && last_argument(&tokens[at + 1..]) == "String" =>
            {
                found.push((file.to_owned(), name.span().start().line));
            }
            _ => {}
        }
    }
}

/// The last of the generic arguments that follow, as text; empty if none follow.
fn last_argument(tokens: &[TokenTree]) -> String {
    let mut depth = 0_usize;
    let mut last = String::new();
    let mut arrow = false;
    for token in tokens {
        let char = if let TokenTree::Punct(punct) = token { punct.as_char() } else { ' ' };
        match char {
            '<' => depth += 1,
            '>' if arrow => {}
            '>' => depth = depth.saturating_sub(1),
            ',' if depth == 1 => last.clear(),
            _ if depth == 1 && char != '<' => last.push_str(&token.to_string()),
            _ if depth > 1 => last.push(' '),
            _ => {}
        }
        arrow = char == '-';
        if depth == 0 {
            break;
        }
    }
    last
}

/// Whether a comment directly above the item at a line gives the reason for an error that is text.
pub(super) fn gives_reason(text: &str, line: usize) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let mut above = lines[..line].iter().rev().take_while(|line| !line.trim().is_empty());
    above.any(|line| line.split_once("//").is_some_and(|(_, comment)| comment.contains("String")))
}

/// Files of more than `most` lines.
pub(super) fn long_files(sources: &Sources, most: usize) -> Vec<String> {
    let long = |text: &str| text.lines().count() > most;
    sources
        .iter()
        .filter(|(_, text)| long(text))
        .map(|(file, text)| {
            format!("{file}: {} lines; more than one thing lives there", text.lines().count())
        })
        .collect()
}

/// Folders that directly hold more than `most` files.
pub(super) fn full_folders(sources: &Sources, most: usize) -> Vec<String> {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for file in sources.keys() {
        *folders.entry(file.rsplit_once('/').map_or("", |(dir, _)| dir)).or_default() += 1;
    }
    folders.retain(|_, files| *files > most);
    folders.into_iter().map(|(dir, files)| format!("{dir}: {files} files in one folder")).collect()
}

/// Each folder with the first sentence of its `mod.rs` or `lib.rs`; an error for one that has none.
pub(super) fn folders(sources: &Sources) -> Result<BTreeMap<String, String>, String> {
    let mut folders = BTreeMap::new();
    for file in sources.keys() {
        let Some((dir, _)) = file.rsplit_once('/') else { continue };
        if folders.contains_key(dir) || dir.ends_with("/bin") {
            continue;
        }
        let text =
            ["mod.rs", "lib.rs"].iter().find_map(|name| sources.get(&format!("{dir}/{name}")));
        let sentence = text.and_then(|text| first_sentence(text));
        let sentence =
            sentence.ok_or_else(|| format!("{dir}: its mod.rs does not say what the folder is"))?;
        folders.insert(dir.to_owned(), sentence);
    }
    Ok(folders)
}

fn first_sentence(text: &str) -> Option<String> {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let paragraph: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    let end = paragraph.find(". ").map_or(paragraph.len(), |at| at + 1);
    let sentence = paragraph[..end].trim_end_matches('.');
    (!sentence.is_empty()).then(|| sentence.to_owned())
}
