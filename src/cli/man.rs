//! Shell completions and man pages, made from the command line's own definition.

use super::exit::{Exit, Failure};
use crate::sys::Dir;
use crate::sys::fs::Existing;
use clap::{Arg, ArgAction, Command, CommandFactory};
use std::path::Path;

/// Prints the completion script for a shell.
pub fn completions<C: CommandFactory>(
    name: &str,
    shell: clap_complete::Shell,
) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(&C::command()), name, &mut script);
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
        pages.push((format!("{name}.1"), page(&name, command)?));
    }
    Ok(pages)
}

/// The same command line without commands and options that are hidden.
fn visible(command: &Command) -> Command {
    let args = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned();
    let commands = command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(visible);
    // A name is a static string in clap; this process prints the script and ends.
    let name: &'static str = Box::leak(command.get_name().to_owned().into_boxed_str());
    let mut shown = Command::new(name)
        .disable_help_subcommand(command.is_disable_help_subcommand_set())
        .args(args)
        .subcommands(commands);
    if let Some(about) = command.get_about() {
        shown = shown.about(about.clone());
    }
    if command.get_version().is_some() {
        shown = shown.version(env!("CARGO_PKG_VERSION"));
    }
    shown
}

fn page(name: &str, command: Command) -> std::io::Result<Vec<u8>> {
    let synopsis = synopsis(&command);
    let arguments = command.get_arguments().any(|arg| !arg.is_hide_set());
    let commands = command.get_subcommands().any(|sub| !sub.is_hide_set());
    let extra = command.get_after_long_help().is_some() || command.get_after_help().is_some();
    let version = command.get_version().is_some() || command.get_long_version().is_some();
    let manual = clap_mangen::Man::new(command).title(name).date("");
    let manual = manual.source(concat!("terminal-lobby ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    manual.render_title(&mut page)?;
    manual.render_name_section(&mut page)?;
    page.extend(format!(".SH SYNOPSIS\n{synopsis}\n").bytes());
    manual.render_description_section(&mut page)?;
    if arguments {
        manual.render_options_section(&mut page)?;
    }
    if commands {
        manual.render_subcommands_section(&mut page)?;
    }
    if extra {
        manual.render_extra_section(&mut page)?;
    }
    if version {
        manual.render_version_section(&mut page)?;
    }
    Ok(page)
}

/// The command with its options and their values, in roff.
fn synopsis(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut words = vec![bold(name)];
    let is_shown = |arg: &&Arg| !arg.is_hide_set();
    let options = || command.get_arguments().filter(is_shown).filter(|arg| !arg.is_positional());
    words.extend(options().filter(|arg| !arg.is_required_set()).map(option));
    words.extend(options().filter(|arg| arg.is_required_set()).map(option));
    words.extend(command.get_positionals().filter(is_shown).map(|arg| {
        let more =
            if arg.get_num_args().is_some_and(|range| range.max_values() > 1) { "..." } else { "" };
        let value = format!("{}{more}", values(arg));
        if arg.is_required_set() { value } else { format!("[{value}]") }
    }));
    if command.get_subcommands().any(|sub| !sub.is_hide_set()) {
        words.push(format!("{} ...", italic("COMMAND")));
    }
    words.join(" ")
}

fn option(arg: &Arg) -> String {
    let name = match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => bold(&format!("--{long}")),
        (None, Some(short)) => bold(&format!("-{short}")),
        (None, None) => bold(arg.get_id().as_str()),
    };
    let takes_values = arg.get_action().takes_values();
    let option = if takes_values { format!("{name} {}", values(arg)) } else { name };
    let repeats = matches!(arg.get_action(), ArgAction::Append | ArgAction::Count);
    let repeats = if repeats { "..." } else { "" };
    if arg.is_required_set() {
        format!("{option}{repeats}")
    } else {
        format!("[{option}]{repeats}")
    }
}

/// What stands for an argument's values.
fn values(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    if names.is_empty() {
        return italic(&arg.get_id().as_str().to_uppercase());
    }
    names.iter().map(|name| italic(name)).collect::<Vec<_>>().join(" ")
}

fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", text.replace('-', "\\-"))
}

fn italic(text: &str) -> String {
    format!("\\fI{}\\fR", text.replace('-', "\\-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synopsis_shows_values_and_what_may_be_repeated_and_nothing_hidden() {
        let command = Command::new("x")
            .arg(Arg::new("file").long("file").value_name("FILE").required(true))
            .arg(Arg::new("user").long("user").value_name("NAME").action(ArgAction::Append))
            .arg(Arg::new("q").short('q').action(ArgAction::Count))
            .arg(Arg::new("secret").long("secret").hide(true))
            .arg(Arg::new("session").num_args(0..))
            .subcommand(Command::new("inner").hide(true));
        let plain = synopsis(&command).replace("\\fB", "").replace("\\fI", "").replace("\\fR", "");
        let expected = "x [\\-\\-user NAME]... [\\-q]... \\-\\-file FILE [SESSION...]";
        assert_eq!(plain, expected);
    }

    #[test]
    fn what_is_hidden_is_not_completed() {
        let command = Command::new("x")
            .subcommand(Command::new("shown").subcommand(Command::new("deep").hide(true)))
            .subcommand(Command::new("worker").hide(true))
            .arg(Arg::new("internal").long("internal").hide(true));
        let mut script = Vec::new();
        let shell = clap_complete::Shell::Bash;
        clap_complete::generate(shell, &mut visible(&command), "x", &mut script);
        let script = String::from_utf8(script).unwrap();
        assert!(script.contains("shown"));
        for hidden in ["worker", "deep", "--internal"] {
            assert!(!script.contains(hidden), "{hidden}");
        }
    }
}
