//! Shell completions and man pages, made from the command line's own definition.

use super::args::Cli;
use super::exit::{Exit, Failure};
use crate::sys::Dir;
use crate::sys::files::Existing;
use clap::CommandFactory;
use std::path::Path;

/// Prints the completion script for a shell.
pub fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "persist", &mut script);
    super::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Writes `persist.1` and a page for each command into a directory.
pub fn manual(directory: &Path) -> Result<Exit, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    let dir = Dir::open(directory).map_err(|error| failed(&error))?;
    for (name, page) in render().map_err(|error| failed(&error))? {
        dir.write(&name, &page, Existing::Replaced).map_err(|error| failed(&error))?;
    }
    Ok(Exit::Done)
}

fn render() -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    let visible = command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned();
    for sub in std::iter::once(command.clone()).chain(visible) {
        let name = sub.get_display_name().unwrap_or_else(|| sub.get_name()).to_owned();
        let mut page = Vec::new();
        clap_mangen::Man::new(sub).title(&name).date("").render(&mut page)?;
        pages.push((format!("{name}.1"), page));
    }
    Ok(pages)
}
