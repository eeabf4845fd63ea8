//! Links lead somewhere.

use super::{pages, project};
use std::path::Path;

/// The targets of `[text](target)` outside of code.
fn targets(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced || line.starts_with("    ") {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let target = &line[at + 2..];
            found.extend(target.split(')').next());
        }
    }
    found
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut headings = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if !fenced && line.starts_with('#') {
            headings.push(line.trim_start_matches('#').trim());
        }
    }
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.into_iter().map(anchor).collect()
}

fn broken(page: &Path, target: &str, text: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() {
        project().join(page)
    } else {
        project().join(page).parent().unwrap().join(file)
    };
    if !path.exists() {
        return Some(format!("{}: {target}: no such file", page.display()));
    }
    let read = || std::fs::read_to_string(&path).unwrap();
    let text = if file.is_empty() {
        text.to_owned()
    } else if anchor.is_empty() {
        return None;
    } else {
        read()
    };
    let known = anchor.is_empty() || anchors(&text).iter().any(|known| known == anchor);
    (!known).then(|| format!("{}: {target}: no such heading", page.display()))
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut faults = Vec::new();
    let mut links = 0;
    for (page, text) in pages() {
        for target in targets(&text) {
            links += 1;
            faults.extend(broken(&page, target, &text));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(links > 100, "{links} links");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = Path::new("docs/README.md");
    let text = "# A heading: `code`\n\n[a](#a-heading-code) [b](#b)\n";
    assert_eq!(targets(text), ["#a-heading-code", "#b"]);
    assert_eq!(broken(page, "#a-heading-code", text), None);
    assert!(broken(page, "#b", text).unwrap().contains("no such heading"));
    assert!(broken(page, "no-such-page.md", text).unwrap().contains("no such file"));
    assert!(broken(page, "boot.md#no-such-heading", text).unwrap().contains("no such heading"));
}

#[test]
fn the_index_names_every_page() {
    let index = std::fs::read_to_string(project().join("docs/README.md")).unwrap();
    let targets = targets(&index);
    for (page, _) in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        let counts = page.starts_with("docs") && name != "README.md";
        assert!(!counts || targets.contains(&name), "docs/README.md does not name {name}");
    }
}

/// Code, units and tests cite pages as `docs/NAME.md`.
#[test]
fn every_page_that_code_cites_exists() {
    let mut pending: Vec<_> =
        ["src", "launcher", "tests", "units"].map(|dir| project().join(dir)).into();
    let mut cited = 0;
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                // What others wrote cites pages of their own.
                if entry.file_name() != "node_modules" && entry.file_name() != "dist" {
                    pending.push(entry.path());
                }
                continue;
            }
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            for (at, _) in text.match_indices("docs/") {
                let name: String = text[at..]
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || "/-._".contains(*c))
                    .collect();
                let Some(end) = name.find(".md") else { continue };
                cited += 1;
                let page = &name[..end + 3];
                let known = project().join(page).exists() || page.contains("NAME");
                assert!(known, "{} cites {page}", entry.path().display());
            }
        }
    }
    assert!(cited > 20, "{cited}");
}
