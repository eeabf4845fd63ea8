//! Shell completions and man pages, made from the command line's own definition.

use super::exit::{Exit, Failure};
use crate::sys::Dir;
use crate::sys::fs::Existing;
use clap::CommandFactory;
use std::path::Path;

/// Prints the completion script for a shell.
pub fn completions<C: CommandFactory>(
    name: &str,
    shell: clap_complete::Shell,
) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut C::command(), name, &mut script);
    super::output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Writes the program's page and one for each of its commands into a directory.
pub fn manual<C: CommandFactory>(directory: &Path) -> Result<Exit, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    let dir = Dir::open(directory).map_err(|error| failed(&error))?;
    for (name, page) in render::<C>().map_err(|error| failed(&error))? {
        dir.write(&name, &page, Existing::Replaced).map_err(|error| failed(&error))?;
    }
    Ok(Exit::Done)
}

fn render<C: CommandFactory>() -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = C::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    let mut left = vec![command];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned());
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let mut page = Vec::new();
        clap_mangen::Man::new(command).title(&name).date("").render(&mut page)?;
        pages.push((format!("{name}.1"), page));
    }
    Ok(pages)
}
