//! The man page of `start-claude` is made from what `--help` prints, as those of the other programs are made
//! from their command lines.

use crate::support::{Sandbox, run};
use std::fmt::Write;
use std::path::Path;

const DESCRIPTION: &str = "\
What a new pane of \\fBtmux\\fR(1) runs: it brings the user's clones up to date, starts an agent on an explicit
conversation, and leaves a login shell if the agent fails. Whatever else fails, the user gets an agent or a shell.
.PP
Exit code 0 of the agent closes the conversation, and the pane. Anything else is a loss, and so is an agent that
ends within a second of its start: one line gives the reason and how to resume, and a login shell stays.
.PP
Ctrl\\-C while it works continues at once.
";
const END: &str = "\
.SH FILES
.TP
\\fI/etc/terminal\\-lobby/launcher.toml\\fR, \\fI~/.config/terminal\\-lobby/launcher.toml\\fR
Configuration; the second goes over the first
.TP
\\fI~/.config/terminal\\-lobby/agent.env\\fR
KEY=VALUE lines for the agent's environment, with mode 0600
.SH EXIT STATUS
That of the agent, or of the shell that took its place; 128 and the number of the signal that ended it
.SH SEE ALSO
\\fBpersist\\fR(1), \\fBpersist\\-restore\\fR(1), \\fBtmux\\fR(1),
\\fI/usr/share/doc/terminal\\-lobby/launcher.md\\fR
";

/// Text as roff shows it.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

/// The options of the help: name, what stands for its value, and its text.
fn options(help: &str) -> Vec<(String, String, String)> {
    let mut options: Vec<(String, String, String)> = Vec::new();
    let lines = help.lines().skip_while(|line| *line != "Options:").skip(1);
    for line in lines.take_while(|line| !line.is_empty()) {
        let (left, text) = line.split_at(line.len().min(21));
        if left.trim().is_empty() {
            let last = options.last_mut().unwrap();
            last.2 = format!("{} {}", last.2, text.trim());
            continue;
        }
        let words: Vec<&str> = left.split_whitespace().collect();
        let (names, value): (Vec<&str>, Vec<&str>) =
            words.into_iter().partition(|word| word.starts_with('-'));
        options.push((names.join(" "), value.join(" "), text.trim().to_owned()));
    }
    options
}

fn page(help: &str) -> String {
    let summary = help.lines().next().unwrap();
    let mut page = format!(
        ".TH start\\-claude 1 \"\" \"terminal\\-lobby {}\"\n.SH NAME\nstart\\-claude \\- {}\n.SH SYNOPSIS\n\\fBstart\\-claude\\fR",
        env!("CARGO_PKG_VERSION"),
        roff(summary)
    );
    for (names, value, _) in options(help) {
        let name = names.split(", ").last().unwrap();
        let value = if value.is_empty() { String::new() } else { format!(" \\fI{value}\\fR") };
        write!(page, " [\\fB{}\\fR{value}]", roff(name)).unwrap();
    }
    page += " [\\-\\- \\fIARGUMENT\\fR...]\n.SH DESCRIPTION\n";
    page += DESCRIPTION;
    page += ".SH OPTIONS\n";
    for (names, value, text) in options(help) {
        let value = if value.is_empty() { String::new() } else { format!(" \\fI{value}\\fR") };
        writeln!(page, ".TP\n\\fB{}\\fR{value}\n{}", roff(&names), roff(&text)).unwrap();
    }
    page + END
}

fn help() -> String {
    let sandbox = Sandbox::new();
    let program = Path::new(env!("CARGO_BIN_EXE_persist")).with_file_name("start-claude");
    run(sandbox.command(program).arg("--help")).ok().out()
}

#[test]
fn the_page_of_start_claude_is_what_its_help_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man/start-claude.1");
    let fresh = page(&help());
    if std::env::var_os("TL_WRITE_DOCS").is_some() {
        std::fs::write(&file, &fresh).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), fresh, "run: make docs");
}

#[test]
fn each_option_of_the_help_has_a_text_and_stands_in_the_synopsis() {
    let help = help();
    let options = options(&help);
    assert!(options.len() > 20, "{options:?}");
    let page = page(&help);
    let synopsis = page.lines().find(|line| line.starts_with("\\fBstart\\-claude")).unwrap();
    for (names, value, text) in options {
        assert!(text.len() > 5, "{names}");
        let name = roff(names.split(", ").last().unwrap());
        assert!(synopsis.contains(&name) && synopsis.contains(&value), "{names} {value}");
    }
}
